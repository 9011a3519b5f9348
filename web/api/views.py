"""The operations. They turn forms into wishes and lives into forms; what may be done is decided in `service`."""

from collections.abc import Sequence

from modemd import reports
from modemd.errors import KeyUsed, MessagesRefused, NotCancelled, PeriodRefused, TooManyMessages
from modemd.quota import day_start
from modemd.service import queueing
from modemd.service.queueing import Wanted
from modemd.service.tokens import Scope, Token
from modemd.store import database, inbox, lines, listing, switch
from modemd.store.lives import Life
from web.api.forms import (
    After,
    Days,
    History,
    Inbox,
    Incoming,
    Line,
    Lines,
    Message,
    NewMessage,
    NewMessages,
    Receipt,
    Receipts,
    Report,
)
from web.api.operations import operation, secret
from web.api.problems import Refused
from web.panel import panel

ONE = "/messages/<int(max=9223372036854775807):message_id>"


@operation("POST", "/messages", Scope.SEND, {201: Receipt, 200: Receipt}, body=NewMessage, keyed=True)
def send(token: Token, key: str, body: NewMessage) -> tuple[int, Receipt]:
    """Queue one message.

    201: it is in the queue, for good. 200: this key came before; nothing was queued again, and it stands like this.
    """
    status, (receipt,) = _queue(token, key, [body])
    return status, receipt


@operation("POST", "/messages/batch", Scope.SEND, {201: Receipts, 200: Receipts}, body=NewMessages, keyed=True)
def send_many(token: Token, key: str, body: NewMessages) -> tuple[int, Receipts]:
    """Queue many messages, all or none.

    One key is for all of them. 200 as with one message.
    """
    status, receipts = _queue(token, key, body.messages)
    return status, Receipts(messages=receipts)


@operation("GET", ONE, Scope.READ, {200: Message})
def message(token: Token, message_id: int) -> tuple[int, Message]:
    """How a message of this client stands."""
    return 200, Message.of(_life(token, message_id))


@operation("GET", f"{ONE}/history", Scope.READ, {200: History})
def history(token: Token, message_id: int) -> tuple[int, History]:
    """A message of this client with its parts and what the network said of them."""
    return 200, History.of(_life(token, message_id))


@operation("POST", f"{ONE}/cancel", Scope.SEND, {200: Message}, problems=(409,))
def cancel(token: Token, message_id: int) -> tuple[int, Message]:
    """Take a queued message of this client back.

    Once this is answered with 200, nothing of it leaves. 409: it has begun to leave, or is settled.
    """
    with database.writing(panel().engine) as conn:
        try:
            life = queueing.cancel(conn, token, message_id, panel().now())
        except NotCancelled as error:
            raise Refused(409, str(error)) from error
    return 200, Message.of(_there(life))


@operation("GET", "/inbox", Scope.INBOX, {200: Inbox}, query=After)
def incoming(query: After) -> tuple[int, Inbox]:
    """What came in, the oldest first, behind a cursor.

    A long message is one, once all of it has come. Nothing is left out or told twice by following `next`.
    """
    with database.writing(panel().engine) as conn:
        rows = listing.received_after(conn, query.after, inbox.settled_up_to(conn), query.limit)
    return 200, Inbox(messages=[Incoming.of(row) for row in rows], next=rows[-1].id if rows else query.after)


@operation("GET", "/lines", Scope.LINES, {200: Lines})
def bank() -> tuple[int, Lines]:
    """The modems and their lines."""
    now = panel().now()
    with database.reading(panel().engine) as conn:
        found = lines.overview(conn, day_start(now))
        allowed = switch.sending(conn).allowed
        queued = listing.open_counts(conn)["queued"]
    shown = [Line.model_validate(each, from_attributes=True) for each in found]
    return 200, Lines(lines=shown, sending=allowed, queued=queued)


@operation("GET", "/report", Scope.REPORTS, {200: Report}, query=Days)
def report(query: Days) -> tuple[int, Report]:
    """The figures of some days in Sofia, both included."""
    try:
        period = reports.Period(query.first, query.last)
    except PeriodRefused as error:
        raise Refused(422, str(error)) from error
    with database.reading(panel().engine) as conn:
        found = reports.report(conn, period)
    return 200, Report.model_validate(found.as_dict())


def _queue(token: Token, key: str, asked: Sequence[NewMessage]) -> tuple[int, list[Receipt]]:
    wanted = [Wanted(each.to, each.text, each.kind, each.not_before) for each in asked]
    try:
        with database.writing(panel().engine) as conn:
            done = queueing.queue(conn, token, wanted, panel().settings, panel().now(), key=key, secret=secret())
    except KeyUsed as error:
        raise Refused(409, str(error)) from error
    except MessagesRefused as error:
        raise Refused(422, str(error)) from error
    except TooManyMessages as error:
        raise Refused(429, str(error), Retry_After="3600") from error
    with database.reading(panel().engine) as conn:
        states = listing.states(conn, done.ids)
    return 200 if done.before else 201, [Receipt(id=each, state=states[each]) for each in done.ids]


def _life(token: Token, message_id: int) -> Life:
    with database.reading(panel().engine) as conn:
        return _there(queueing.find(conn, token, message_id))


def _there(life: Life | None) -> Life:
    if life is None:
        raise Refused(404, "This token has queued no such message.")
    return life
