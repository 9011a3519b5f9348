"""Every fault of the simulator against the real daemon, each on a modem of its own, all at once.

Each modem gets a fault, three messages pinned to its line, and a question. Whatever happens to it: nothing is lost,
nothing that may not be repeated leaves twice, the question is answered once, what is wrong is said in plain words, and
the modem works again afterwards.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from modemd.store import alerts, database, modems, outbox, wakeup, wishes
from modemd.store.lines import ModemOverview
from modemd.store.listing import Listed
from modemd.store.schema import WishVerb, message, modem_event
from tests.flow.running import RunningService

LONG = "smetka " + "please tell me what I owe, as soon as you can, " * 4
DELIVERED = Counter({"delivered": 4})
ONE_HELD = Counter({"delivered": 3, "held": 1})


@dataclass(frozen=True)
class Case:
    """What is done to a modem, and what has to be seen of it."""

    faults: tuple[str, ...]
    ends: Counter[str] = field(default_factory=lambda: DELIVERED)  # its three messages and its answer
    or_held: bool = False  # one of them may be: its report may come before the modem is set up anew, which loses it
    taken: int = 4  # of them, by the network
    through: frozenset[str] = frozenset()  # states that the modem has to go through
    words: str = ""  # to be found in the reasons of its states, its alerts or the errors of its messages
    question: str = "smetka"
    asked: Sequence[str] = ("done",)  # what is recorded of its question
    state: str = "ready"  # of the modem in the end
    pin: str = ""  # what a technician enters when it asks for a PIN


SICK = frozenset({"silent", "recovering"})
CASES = {
    "silence": Case(("silence:seconds=4",), through=SICK, words=r"no answer to AT\+\w+.* in"),
    "answer lost, report comes": Case(("answer-lost:count=1",), through=SICK, words="no answer to AT\\+CMGS"),
    "answer and report lost": Case(("report-missing:count=1", "answer-lost:count=1"), ONE_HELD, through=SICK),
    "answer late": Case(("answer-late:count=1,seconds=4",), through=SICK),
    "no prompt": Case(("no-prompt",), through=SICK),
    "reboot with the body": Case(("reboot:when=body",), ONE_HELD, taken=3, through=frozenset({"absent"})),
    "reboot after the network took it": Case(("reboot:when=submit",), or_held=True, through=frozenset({"absent"})),
    "unplugged": Case(("unplug:seconds=1",), through=frozenset({"absent"})),
    "unplugged, back under another name": Case(("unplug:seconds=1,port=modem90",), through=frozenset({"absent"})),
    "unplugged in mid-send": Case(("unplug:when=submit,port=modem91",), or_held=True, through=frozenset({"absent"})),
    "garbage": Case(("garbage:count=30",)),
    "byte at a time": Case(("byte-at-a-time:seconds=0.0005",)),
    "lines between all lines": Case(("interleave:rate=0.5",)),
    "urc storm": Case(("urc-storm:per_second=300,seconds=8",)),
    "echo": Case(("echo-on",)),
    "hangs at the wrap of TP-MR": Case(("wrap-hang:at={next},seconds=4",), or_held=True, through=SICK),
    "SIM full": Case(("sim-full",)),
    "SIM removed": Case(("sim-removed:seconds=4",), through=frozenset({"quarantined"}), words="no SIM"),
    "PIN": Case(("sim-pin:pin=4321",), through=frozenset({"quarantined"}), words="pin_file", pin="4321"),
    "PUK": Case(
        ("sim-puk",),
        Counter(queued=3),
        taken=0,
        through=frozenset({"quarantined"}),
        words="PUK",
        asked=(),
        state="quarantined",
    ),
    "registration lost": Case(("unregistered:seconds=4",), through=frozenset({"unregistered"}), words="in no network"),
    "refused for a while": Case(("cms-error:rate=0.5,code=38",), words="network out of order"),
    "refused for good": Case(("cms-error:count=1,code=1",), Counter(failed=1, delivered=3), taken=3, words="nassigned"),
    "duplicate delivery": Case(("duplicate",)),
    "parts out of order": Case(("out-of-order",), question=LONG),
    "report late": Case(("report-late:seconds=4",)),
    "report missing": Case(("report-missing",), Counter(sent=4)),
    "report says expired": Case(("report-status:count=1,status=70",), Counter(expired=1, delivered=3), words="expired"),
}


class Ward:
    """A running service with a patient on each modem."""

    def __init__(self, running: RunningService) -> None:
        self.running = running
        self.modem_of = {name: f"modem{index:02}" for index, name in enumerate(CASES)}
        self.asker_of = {name: f"+3598881110{index:02}" for index, name in enumerate(CASES)}
        self.imei_of: dict[str, str | None] = {}
        self.line_of: dict[str, int | None] = {}

    def admit(self) -> None:
        """Start everything, with customers behind the phones."""
        self.running.start_bank()
        self.running.give_customers({asker: [f"3000000000{at:02}"] for at, asker in enumerate(self.asker_of.values())})
        self.running.start_daemon()
        self.running.wait_until_ready()
        ports = {modem.port.rpartition("/")[2]: modem for modem in self.running.overview()}
        for name, port in self.modem_of.items():
            self.imei_of[name], self.line_of[name] = ports[port].imei, ports[port].line_id

    def infect(self) -> None:
        """One message to learn its TP-MR for the wrap; then every fault, and right after it the traffic."""
        wrap = "hangs at the wrap of TP-MR"
        self.send(wrap, "before")
        self.running.until(lambda: self.running.submitted())
        following = (self.running.submitted()[-1]["reference"] + 3) % 256
        for name, case in CASES.items():
            for fault in case.faults:
                self.running.phones.fault(self.modem_of[name], fault.format(next=following))
        for name, case in CASES.items():
            self.send(name, "one", "two", "three")
            self.running.phones.text(self.asker_of[name], case.question, self.modem_of[name])

    def send(self, name: str, *texts: str) -> None:
        now = datetime.now(UTC)
        new = [
            outbox.NewMessage("manual", "+359888222000", f"{name}: {text}", 1, 5, now + timedelta(hours=1), line)
            for text in texts
            for line in (self.line_of[name],)
        ]
        with self.running.engine() as engine, database.writing(engine) as connection:
            outbox.enqueue(connection, new, now)

    def nurse(self) -> bool:
        """Let the pause after a refusal pass, enter PINs; whether all is as it shall be in the end."""
        with self.running.engine() as engine:
            with database.writing(engine) as connection:
                waiting = message.update().where(message.c.state == "queued", message.c.not_before.is_not(None))
                if connection.execute(waiting.values(not_before=datetime.now(UTC))).rowcount:
                    wakeup.notify(connection)
            for name, case in CASES.items():
                if case.pin and self.modem(name).state == "quarantined":
                    with database.writing(engine) as connection:
                        (known,) = modems.named(connection, self.imei_of[name] or "")
                        wishes.ask(connection, known.id, WishVerb.PIN, case.pin, "technician", datetime.now(UTC))
        return not self.complaints()

    def modem(self, name: str) -> ModemOverview:
        return next(modem for modem in self.running.overview() if modem.imei == self.imei_of[name])

    def messages(self, name: str) -> list[Listed]:
        rows = self.running.messages(direction="mt")
        return [row for row in rows if row.number == self.asker_of[name] or _is_of(name, row.text)]

    def said_of(self, name: str) -> str:
        """The reasons of its states, its alerts, and the errors of its messages."""
        with self.running.engine() as engine, database.reading(engine) as connection:
            (known,) = modems.named(connection, self.imei_of[name] or "")
            reasons = connection.scalars(select(modem_event.c.reason).where(modem_event.c.modem_id == known.id)).all()
            told = [alert.text for alert in alerts.standing(connection) if alert.subject == known.port]
        return "\n".join([*filter(None, reasons), *told, *filter(None, (row.error for row in self.messages(name)))])

    def states_of(self, name: str) -> set[str]:
        with self.running.engine() as engine, database.reading(engine) as connection:
            (known,) = modems.named(connection, self.imei_of[name] or "")
            return set(connection.scalars(select(modem_event.c.state).where(modem_event.c.modem_id == known.id)))

    def complaints(self) -> list[str]:
        """What is not (yet) as it shall be."""
        found = []
        overview = {modem.imei: modem for modem in self.running.overview()}
        for name, case in CASES.items():
            ends = Counter(row.state for row in self.messages(name))
            state = overview[self.imei_of[name]].state
            if ends != case.ends and not (case.or_held and ends == ONE_HELD):
                found.append(f"{name}: {dict(ends)}")
            if state != case.state:
                found.append(f"{name}: {state}")
        return found

    def findings(self) -> list[str]:
        """What may not be, now that nothing moves any more."""
        taken = Counter((event["to"], event["text"]) for event in self.running.submitted())
        found = [f"{text!r} left {times} times" for text, times in taken.items() if times > 1]
        for name, case in CASES.items():
            own = [text for to, text in taken if to == self.asker_of[name] or _is_of(name, text)]
            if len(own) != case.taken:
                found.append(f"{name}: the network took {own}")
            asked = [row.state for row in self.running.messages(direction="mo", number=self.asker_of[name])]
            if asked != list(case.asked):
                found.append(f"{name}: its question is {asked}")
            if missing := case.through - self.states_of(name):
                found.append(f"{name}: was never {missing}, only {self.states_of(name)}")
            if not re.search(case.words, self.said_of(name)):
                found.append(f"{name}: {case.words!r} is not in\n{self.said_of(name)}")
        return found


def _is_of(name: str, text: str | None) -> bool:
    return (text or "").startswith(f"{name}: ") and text != f"{name}: before"


@pytest.mark.long
def test_every_fault_loses_nothing_repeats_nothing_is_told_in_words_and_passes(
    service: Callable[..., RunningService],
) -> None:
    running = service(
        modems=len(CASES),
        bank_options=("--report-seconds", "0.3", "--send-seconds", "0.05"),
        settings="""
        bank.send_timeout = 2
        bank.command_timeout = 2
        kinds.manual.in_doubt_seconds = 10
        kinds.reply.in_doubt_seconds = 10
        kinds.manual.max_attempts = 100
        kinds.reply.max_attempts = 100
        """,
    )
    ward = Ward(running)
    ward.admit()
    ward.infect()
    try:
        running.until(ward.nurse, 100)
    except AssertionError as error:
        pytest.fail("\n".join([*ward.complaints(), str(error)]))
    assert ward.findings() == []
