"""The simulated GSM network: phones, and a message centre that takes, delivers, keeps and reports."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import cycle
from typing import NamedTuple, Protocol

from modemd.errors import SimulatorError
from modemd.messages import Concatenation
from modemd.pdu import dcs, segments, udh
from modemd.pdu.address import Address
from modemd.pdu.deliver import Deliver
from modemd.pdu.status_report import StatusReportPdu
from modemd.pdu.submit import Submit
from modemd.sim.clock import LOCAL, Clock, Timer
from modemd.sim.journal import Journal
from modemd.sim.numbers import normalise
from modemd.sim.phones import Phone, Sent, Shown
from modemd.sim.times import Times

_REPORT_TICK = 0.005  # s; reports due within one tick leave together: one wake-up instead of hundreds
_RETRY_SECONDS = 5.0  # after a modem failed to acknowledge


class Outcome(Enum):
    """What a modem did with what the network brought."""

    TAKEN = auto()
    WAITING = auto()  # routed to the program, whose acknowledgement is still to come
    REFUSED = auto()  # full, off or not registered: the centre keeps it until the modem says that it can


class Carried(NamedTuple):
    """A PDU on its way to a modem."""

    octets: bytes  # SMSC in front
    message_class: int | None
    event: dict[str, object]  # for the journal


class Fate(NamedTuple):
    """What becomes of a status report: late by `delay` seconds (None: it never comes), with TP-ST `status`."""

    delay: float | None
    status: int


class Subscriber(Protocol):
    """A modem as the network sees it."""

    name: str
    number: str
    smsc: str

    def take_message(self, carried: Carried) -> Outcome: ...

    def take_report(self, carried: Carried) -> Outcome: ...

    def copies(self) -> int:
        """How often the network brings the next message; more than 1 is a fault."""
        ...

    def shuffles(self) -> bool:
        """Whether the network brings the parts of the next long message in another order; a fault."""
        ...

    def fate_of_report(self) -> Fate: ...


@dataclass(slots=True)
class _Mailbox:
    """What the message centre keeps for one modem. A full storage for messages holds no report back."""

    subscriber: Subscriber
    messages: deque[Carried] = field(default_factory=deque)
    reports: deque[Carried] = field(default_factory=deque)
    unacknowledged: deque[Carried] | None = None  # the queue whose first entry waits for the program


class _Due(NamedTuple):
    when: float
    mailbox: _Mailbox
    report: StatusReportPdu


class Network:
    """All phones, all SIMs and the message centre between them."""

    def __init__(self, clock: Clock, *, report_seconds: float = 1.0, journal: Journal | None = None) -> None:
        self._clock = clock
        self._report_seconds = report_seconds
        self._journal = journal or Journal()
        self.times = Times(clock)
        self._phones: dict[str, Phone] = {}
        self._mailboxes: dict[str, _Mailbox] = {}
        self._by_number: dict[str, _Mailbox] = {}
        self._turn: Iterable[str] = ()
        self._last_stamp: dict[tuple[str, str], datetime] = {}
        self._due: deque[_Due] = deque()
        self._report_timer: Timer | None = None

    def join(self, subscriber: Subscriber) -> None:
        """Make a modem's SIM known."""
        mailbox = _Mailbox(subscriber)
        self._mailboxes[subscriber.name] = self._by_number[subscriber.number] = mailbox
        self._turn = cycle(list(self._mailboxes))

    def stop(self) -> None:
        if self._report_timer is not None:
            self._report_timer.cancel()

    # phones

    def text(self, sender: str, text: str, modem: str | None = None) -> str:
        """Send a text from a phone to a modem's SIM, else to each in turn. Returns the modem's name.

        `sender` may be a number, a short code or a name. Raises SimulatorError for an unknown modem, TextError or
        NotAPhone for what a phone could not send.
        """
        name = modem or next(iter(self._turn))
        if name not in self._mailboxes:
            raise SimulatorError(dir="the bank", reason=f"there is no modem {name!r}")
        sender = normalise(sender)
        how = segments.measure(text).alphabet
        pieces = segments.split(text)
        total = len(pieces)
        phone = self._phone(sender)
        reference = phone.next_reference() if total > 1 else 0
        numbered = list(enumerate(pieces, start=1))
        if total > 1 and self._mailboxes[name].subscriber.shuffles():
            numbered.reverse()
        for part, piece in numbered:
            place = Concatenation(reference, total, part) if total > 1 else None
            elements = (udh.concatenate(place),) if place else ()
            self._bring(sender, self._mailboxes[name], dcs.encode(how), piece, None, elements)
        phone.sent.append(Sent(self._mailboxes[name].subscriber.number, text, self._clock.now()))
        return name

    def received(self, number: str) -> list[Shown]:
        """What the phone with this number has received, the oldest first."""
        phone = self._phones.get(normalise(number))
        return list(phone.received) if phone else []

    def sent(self, number: str) -> list[Sent]:
        """What the phone with this number has sent, the oldest first."""
        phone = self._phones.get(normalise(number))
        return list(phone.sent) if phone else []

    def numbers(self) -> list[str]:
        """Every phone that has sent or received something."""
        return sorted(self._phones)

    def _phone(self, number: str) -> Phone:
        if number not in self._phones:
            self._phones[number] = Phone()
        return self._phones[number]

    # from a modem

    def submit(self, modem: str, pdu: Submit, reference: int) -> None:
        """Take a part from a modem, which numbered it `reference`, and carry it to its recipient at once."""
        mailbox = self._mailboxes[modem]
        sender = mailbox.subscriber.number
        to = normalise(pdu.number.number)
        now = self._clock.now()
        self._journal.write(
            "submit",
            now,
            modem=modem,
            to=to,
            text=pdu.text,
            data=None if pdu.data is None else pdu.data.hex(),
            reference=reference,
            concat=_as_json(pdu.concatenation),
            validity=pdu.validity.total_seconds() if isinstance(pdu.validity, timedelta) else None,
        )
        recipient = self._by_number.get(to)
        if recipient is not None:
            self._bring(sender, recipient, pdu.dcs, pdu.text, pdu.data, pdu.elements)
        else:
            text = pdu.text if pdu.data is None else pdu.data.hex()
            shown = self._phone(to).take(sender, text or "", pdu.concatenation, now)
            if shown is not None:
                self._journal.write("phone", now, number=to, text=shown.text, **{"from": sender})
        if pdu.status_report_request:
            self._plan_report(mailbox, pdu.number, reference, now)

    def available(self, modem: str) -> None:
        """A modem can take messages again: slots are free, it registered, its SIM is unlocked (23.040, 9.3: alert)."""
        self._push(self._mailboxes[modem])

    def acknowledged(self, modem: str, positive: bool) -> None:
        """The program behind a modem acknowledged what was routed to it, or did not, or not in time."""
        mailbox = self._mailboxes[modem]
        queue, mailbox.unacknowledged = mailbox.unacknowledged, None
        if queue and positive:
            self._log_taken(mailbox, queue.popleft())
        if positive:
            self._push(mailbox)
        else:
            self._clock.call_later(_RETRY_SECONDS, lambda: self._push(mailbox))

    # to a modem

    def _bring(
        self,
        sender: str,
        mailbox: _Mailbox,
        coding: int,
        text: str | None,
        data: bytes | None,
        elements: tuple[udh.Element, ...],
    ) -> None:
        to = mailbox.subscriber.number
        pdu = Deliver(
            smsc=Address.parse(mailbox.subscriber.smsc),
            number=_address(sender),
            timestamp=self._stamp(sender, to),
            dcs=coding,
            text=text,
            data=data,
            elements=elements,
        )
        event: dict[str, object] = {"from": sender, "text": text, "concat": _as_json(pdu.concatenation)}
        carried = Carried(pdu.encode(), pdu.message_class, event)
        mailbox.messages.extend([carried] * mailbox.subscriber.copies())
        self._push(mailbox)

    def _stamp(self, sender: str, to: str) -> datetime:
        """The centre's time stamp: whole seconds, and later than the last: no phone sends twice in a second."""
        now = self._clock.now().replace(microsecond=0)
        last = self._last_stamp.get((sender, to))
        if last is not None and now <= last:
            now = last + timedelta(seconds=1)
        self._last_stamp[sender, to] = now
        return now.astimezone(LOCAL)

    def _plan_report(self, mailbox: _Mailbox, recipient: Address, reference: int, taken_at: datetime) -> None:
        fate = mailbox.subscriber.fate_of_report()
        if fate.delay is None:
            return
        report = StatusReportPdu(
            smsc=Address.parse(mailbox.subscriber.smsc),
            reference=reference,
            recipient=recipient,
            timestamp=taken_at.astimezone(LOCAL),
            discharge=taken_at.astimezone(LOCAL) + timedelta(seconds=self._report_seconds + fate.delay),
            status=fate.status,
        )
        due = _Due(self._clock.seconds() + self._report_seconds + fate.delay, mailbox, report)
        if fate.delay:
            self._clock.call_later(due.when - self._clock.seconds(), lambda: self._send_reports([due]))
            return
        self._due.append(due)
        if self._report_timer is None:
            self._report_timer = self._clock.call_later(self._report_seconds, self._send_due_reports)

    def _send_due_reports(self) -> None:
        self._report_timer = None
        now = self._clock.seconds()
        ripe = []
        while self._due and self._due[0].when <= now + _REPORT_TICK:
            ripe.append(self._due.popleft())
        self._send_reports(ripe)
        if self._due:
            wait = max(self._due[0].when - now, _REPORT_TICK)
            self._report_timer = self._clock.call_later(wait, self._send_due_reports)

    def _send_reports(self, ripe: list[_Due]) -> None:
        for due in ripe:
            event: dict[str, object] = {
                "to": normalise(due.report.recipient.number),
                "reference": due.report.reference,
                "status": due.report.status,
            }
            due.mailbox.reports.append(Carried(due.report.encode(), None, event))
        for mailbox in {id(due.mailbox): due.mailbox for due in ripe}.values():
            self._push(mailbox)

    def _push(self, mailbox: _Mailbox) -> None:
        for queue, take in (
            (mailbox.messages, mailbox.subscriber.take_message),
            (mailbox.reports, mailbox.subscriber.take_report),
        ):
            while queue and mailbox.unacknowledged is None:
                outcome = take(queue[0])
                if outcome is Outcome.REFUSED:
                    break
                if queue is mailbox.messages:
                    self.times.announced(str(queue[0].event["from"]))
                if outcome is Outcome.WAITING:
                    mailbox.unacknowledged = queue
                else:
                    self._log_taken(mailbox, queue.popleft())

    def _log_taken(self, mailbox: _Mailbox, carried: Carried) -> None:
        kind = "report" if "status" in carried.event else "deliver"
        self._journal.write(kind, self._clock.now(), modem=mailbox.subscriber.name, **carried.event)


def _address(number: str) -> Address:
    is_name = any(not (character.isdigit() or character in "+*#") for character in number)
    return Address.alphanumeric(number) if is_name else Address.parse(number)


def _as_json(concatenation: Concatenation | None) -> dict[str, int] | None:
    if concatenation is None:
        return None
    return {"reference": concatenation.reference, "total": concatenation.total, "part": concatenation.part}
