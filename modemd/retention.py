"""What is kept for how long (DOMAIN, section 8), and the nightly job that sees to it.

    texts of messages       12 months, then their type and a hash
    raw PDUs                12 months
    imported files          30 days
    consents                5 years after their end
    counted uses            2 days: who asked for a code or signed in, and what of the portal is over
    transcripts             7 days; whoever writes them sees to that (modem/transcript.py)

It works in transactions of some milliseconds with pauses between, and can be broken off anywhere: what was done stays
done, and the next night goes on.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, select
from sqlalchemy.exc import DBAPIError

from modemd import audit, reports
from modemd.billing.dropfolder import ARCHIVE, REJECT
from modemd.config import SOFIA, Settings
from modemd.errors import ModemdError
from modemd.service import identities
from modemd.store import chores, days, redaction
from modemd.store.database import reading, writing
from modemd.store.redaction import Done
from modemd.store.schema import (
    InboxState,
    consent,
    day_figures,
    document_check,
    inbox,
    inbox_part,
    kep_nonce,
    limit_use,
    message,
    month_figures,
    open_item,
    payment,
    pending_phone,
    portal_session,
    status_report,
)

log = logging.getLogger(__name__)

TEXTS_YEARS = 1
CONSENTS_YEARS = 5  # after their end
FILES_KEPT = timedelta(days=30)
USES_KEPT = timedelta(days=2)  # no limit looks further back than a day
PAYMENTS_KEPT = timedelta(days=90)  # by then every invoice has come anew
NIGHT = time_of_day(2, 30)  # in Sofia; no change of the clock skips or repeats it
CHECK_SECONDS = 300.0
BATCH = 500  # rows in one transaction
COUNTED_DAYS = 3660  # past days that are counted for the reports, the newest first: as many as one may span
PAUSE = 0.01  # s between two
NAME = "retention"

_PASSING = {  # rows that name somebody and serve only for a while
    limit_use: limit_use.c.at,
    **{table: table.c.expires_at for table in (document_check, kep_nonce, pending_phone, portal_session)},
}
Verb = Callable[[Connection, ColumnElement[bool], int, bytes | None], Done]


@dataclass(slots=True)
class Swept:
    """What one night has taken away."""

    texts: int = 0
    raw: int = 0
    consents: int = 0
    payments: int = 0
    files: int = 0

    def __str__(self) -> str:
        kept = f"{self.texts} texts redacted, {self.raw} raw PDUs, {self.consents} consents"
        return f"{kept}, {self.payments} payments and {self.files} files deleted"


class Stopped(Exception):
    """The daemon stops in the middle of the job."""


class Retention:
    def __init__(self, settings: Settings, engine: Engine, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self._now = now
        self._stopping = threading.Event()
        self._files_swept: datetime | None = None

    async def run(self) -> None:
        """Do the job every night, or as soon as the daemon runs after a night that was missed, until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(CHECK_SECONDS)
        finally:
            self._stopping.set()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self._work)
        except Stopped:
            log.info("what is kept for how long: goes on at the next start")
        except (OSError, DBAPIError, ModemdError):
            log.exception("what is kept for how long was not seen to; tried again in %s s", CHECK_SECONDS)

    def _work(self) -> None:
        now = self._now()
        if is_due(self._files_swept, now):  # each host has files of its own
            log.info("%s files deleted", sweep_files(self._settings.daemon.data, now))
            self._files_swept = now
        with reading(self._engine) as conn:
            done_at = chores.done_at(conn, NAME)
        if not is_due(done_at, now):
            return
        log.info("%s days counted", count_days(self._engine, now, self._go_on))
        log.info("%s", sweep(self._engine, self._settings, now, self._go_on))
        with reading(self._engine) as conn:
            head = audit.head(conn)
        log.info("the audit log has %s entries; head %s", head.id, head)

    def _go_on(self) -> None:
        if self._stopping.wait(PAUSE):
            raise Stopped


def is_due(done_at: datetime | None, now: datetime) -> bool:
    """Whether a night has begun since it was done."""
    here = now.astimezone(SOFIA)
    night = datetime.combine(here.date(), NIGHT, SOFIA)
    if night > here:
        night = datetime.combine(here.date() - timedelta(days=1), NIGHT, SOFIA)
    return done_at is None or done_at < night


def sweep(engine: Engine, settings: Settings, now: datetime, go_on: Callable[[], None] | None = None) -> Swept:
    """Do the night's work in the database. `go_on` is called between two transactions and may raise to break it off."""
    go_on = go_on or _rest
    secret = identities.key(settings.service) if settings.service.identity_key_file else None
    before = years_before(now, TEXTS_YEARS)
    swept = Swept()
    for table, at, waiting, verb in (
        (message, message.c.created_at, message.c.state.in_(redaction.OPEN), redaction.sent),
        (inbox, inbox.c.received_at, inbox.c.state == InboxState.NEW, redaction.received),
    ):
        swept.texts += _redact(engine, table, at, waiting, verb, before, secret, now, go_on)
    for table in (inbox_part, status_report):
        swept.raw += _repeat(engine, lambda conn, t=table: redaction.delete_oldest(conn, t, before, BATCH), go_on)  # type: ignore[misc]
    ended = years_before(now, CONSENTS_YEARS)
    swept.consents = _repeat(engine, lambda conn: _delete_some(conn, consent, consent.c.ended_at < ended), go_on)
    for table, at in _PASSING.items():
        _repeat(engine, lambda conn, t=table, old=at < now - USES_KEPT: _delete_some(conn, t, old), go_on)  # type: ignore[misc]
    with writing(engine) as conn:
        swept.payments = _delete_payments(conn, now)
        chores.done(conn, NAME, now)
    return swept


def count_days(engine: Engine, now: datetime, go_on: Callable[[], None] | None = None) -> int:
    """Count the past days of which nothing is kept, for the reports, and sum up the months that are whole then.

    Returns how many days; each is a transaction of its own, as is each month.
    """
    today = now.astimezone(SOFIA).date()
    with reading(engine) as conn:
        first = days.first_message_at(conn)
        age = now - first if first is not None else timedelta()
        back = min(age.days + 1, COUNTED_DAYS)
        missing = days.missing(conn, day_figures, reports.past_days(today, back))
    for start, end in missing:
        with writing(engine) as conn:
            days.keep(conn, start, end)
        (go_on or _rest)()
    with reading(engine) as conn:
        months = days.missing(conn, month_figures, reports.past_months(today, back))
    for start, end in months:
        with writing(engine) as conn:
            days.keep_month(conn, start, end)
        (go_on or _rest)()
    return len(missing)


def sweep_files(data: Path, now: datetime) -> int:
    """Delete what was imported or refused more than 30 days ago; returns how many files. Raises OSError."""
    before = (now - FILES_KEPT).timestamp()
    old = [
        path
        for name in (ARCHIVE, REJECT)
        for path in ((data / name).iterdir() if (data / name).is_dir() else ())
        if path.lstat().st_mtime < before and not path.is_dir()
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def years_before(now: datetime, years: int) -> datetime:
    """The same moment so many years ago; 1 March for a 29 February that there was not."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        return now.replace(year=now.year - years, month=3, day=1)


def _redact(
    engine: Engine,
    table: Table,
    at: ColumnElement[datetime],
    waiting: ColumnElement[bool],
    verb: Verb,
    before: datetime,
    secret: bytes | None,
    now: datetime,
    go_on: Callable[[], None],
) -> int:
    """Redact all that is older, from where the last night came to; what still waits then is looked at again."""
    name = f"{NAME}:{table.name}"
    with reading(engine) as conn:
        start = since = chores.done_to(conn, name)
    count = 0
    while True:
        with writing(engine) as conn:
            done = verb(conn, _between(at, since, before), BATCH, secret)
        if done.upto is None:
            break
        count, since = count + done.count, done.upto
        go_on()
    with reading(engine) as conn:
        oldest = conn.scalar(select(func.min(at)).where(_between(at, start, before), waiting))
    with writing(engine) as conn:
        chores.done(conn, name, now, oldest or before)
    return count


def _between(at: ColumnElement[datetime], since: datetime | None, before: datetime) -> ColumnElement[bool]:
    return at < before if since is None else (at < before) & (at >= since)


def _repeat(engine: Engine, step: Callable[[Connection], int], go_on: Callable[[], None]) -> int:
    """Until a transaction finds nothing more to do."""
    count = 0
    while True:
        with writing(engine) as conn:
            done = step(conn)
        if not done:
            return count
        count += done
        go_on()


def _delete_some(conn: Connection, table: Table, which: ColumnElement[bool]) -> int:
    (key,) = table.primary_key
    some = select(key).where(which).limit(BATCH)
    return conn.execute(table.delete().where(key.in_(some))).rowcount


def _delete_payments(conn: Connection, now: datetime) -> int:
    """Those that every invoice holds already: taking one off would otherwise be undone."""
    oldest: datetime | None = conn.scalar(select(func.min(open_item.c.data_at)))
    before = min(now - PAYMENTS_KEPT, oldest or now)
    return conn.execute(payment.delete().where(payment.c.known_at < before)).rowcount


def _rest() -> None:
    time.sleep(PAUSE)
