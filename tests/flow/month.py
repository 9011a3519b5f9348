"""A month of the service: billing's files, a reminder run amid faults, questions, payments, STOPs and a kill."""

import csv
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from modemd.billing import files, importing
from modemd.config import SOFIA, Language, Service
from modemd.service import notices, subscriptions
from modemd.service.notices import TEXTS, Owed
from modemd.store import database, staff
from modemd.store.schema import campaign, campaign_item, campaign_recipient, import_file, inbox, message, part
from tests.flow.running import CUSTOMER_COLUMNS, RunningService

MODEMS = 8
STOPPED = ("spreni", "спрени", "stopped")  # how the confirmations of STOP say it
PATIENCE = 300.0  # s; a bound on what never comes
FAULTS = (  # what passes by itself
    "answer-lost:count=1",
    "report-missing:count=2",
    "silence:seconds=0.5",
    "unplug:seconds=0.5",
    "garbage:count=3",
    "duplicate:count=2",
    "urc-storm:per_second=200,seconds=0.5",
    "interleave:rate=0.5",
)
SLOW_FAULTS = (
    *FAULTS,
    "cms-error:count=2,code=38",
    "answer-late:count=2,seconds=0.7",
    "unplug:seconds=0.3,when=submit",
)


@dataclass
class Debtor:
    """A phone and what its customers owe."""

    phone: str
    language: Language
    owes: dict[str, int]  # cents by customer number
    status: str = "OPEN"
    flags: str = ""
    services: tuple[str, ...] = ("bill", "reminder", "outage")
    asks: bool = False
    pays: str = ""  # "early": while the run rests; "late": while it runs
    stops: str = ""

    @property
    def reminded(self) -> bool:
        """Whether a run that starts now is to reach this phone."""
        return "reminder" in self.services and self.status == "OPEN" and not self.flags

    def text(self, cutoff: date) -> str:
        owed = Owed(tuple(sorted(self.owes)), sum(self.owes.values()), cutoff)
        return notices.reminder(owed, self.language, TEXTS, Service())


def invoice(customer_no: str) -> str:
    return f"48{customer_no[-8:]}"


@dataclass
class Month:
    make: Callable[..., RunningService]
    people: int
    faults: tuple[str, ...] = FAULTS
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seed = random.SystemRandom().randrange(2**32)
        print(f"seed {self.seed}")
        self.chance = random.Random(self.seed)
        self.first_part = self.people // 4  # the run rests after so many
        self.service = self.make(
            modems=MODEMS,
            bank_options=("--send-seconds", "0.1", "--report-seconds", "0.2", "--seed", str(self.seed)),
            settings=f"""
            reminders.window = "00:00-24:00"
            reminders.days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            reminders.on_holidays = true
            reminders.pause_after = {self.first_part}
            reminders.portion = 24
            kinds.reminder.in_doubt_seconds = 3
            kinds.reminder.max_attempts = 1000
            kinds.reply.in_doubt_seconds = 3
            kinds.reply.max_attempts = 1000
            billing.results_minutes = 0.05
            """,
            **self.options,
        )
        self.cutoff = datetime.now(SOFIA).date() + timedelta(days=45)
        self.debtors = [self._debtor(number) for number in range(self.people)]
        self.paid_by: dict[str, datetime] = {}  # when the payments of "early" and "late" were taken in at the latest

    def _debtor(self, number: int) -> Debtor:
        """Those who pay or stop come last in the run, which leaves by phone number; the others are drawn by lot."""
        made = Debtor(
            f"+35988{number:07}",
            self.chance.choice(("bg-Latn", "bg-Latn", "bg-Latn", "bg-Cyrl", "en")),
            {f"3{10 * number + at:011}": 1000 + 10 * number + at for at in range(self.chance.choice((1, 1, 1, 2)))},
            asks=number % 20 == 0,
        )
        role = self.chance.random()
        if number % 20 and role < 0.04:
            made.flags = self.chance.choice("VDIN")
        elif number % 20 and role < 0.08:
            made.status = "PAID"
        elif role < 0.10:
            made.services = ("bill",)
        elif number > self.people * 0.6 and number % 20:
            made.pays = ("early", "late", "", "")[number % 4]
            if not made.pays and number % 8 in (2, 3):
                made.stops = ("early", "late")[number % 8 - 2]
        return made

    # what happens

    def play(self) -> None:
        service = self.service
        service.start_bank()
        self._modemd("db", "upgrade")
        self._hand_over()
        service.start_daemon()
        service.wait_until_ready()
        self._start_run()
        self._ask(0, 2)
        self._until_state("paused")
        self._pay("early")
        self._stop("early")
        for modem, fault in enumerate(self.faults):
            service.phones.fault(f"modem{modem % MODEMS:02}", fault)
        self._modemd("reminders", "resume", "--by", "elena")
        self._ask(1, 2)
        self._drop_payments("late", 2)
        self._stop("late", wait=False)
        service.until(lambda: len(service.submitted()) > self.people * 0.55, PATIENCE)
        service.kill_daemon()
        service.phones.fault("all", "none")
        service.start_daemon()
        self._wait_for_payments("late", 2)
        self._until_state("done")
        service.until(self._settled, PATIENCE)

    def _hand_over(self) -> None:
        now = datetime.now(UTC)
        numbers = [number for debtor in self.debtors for number in debtor.owes]
        customers = [dict(zip(CUSTOMER_COLUMNS, (n, "", "H", "", "bg-Latn", "1"), strict=True)) for n in numbers]
        with self.service.engine() as engine:
            for kind, rows in (("CUSTOMERS", customers), ("OPENITEMS", list(self._items()))):
                path = files.write(self.service.folder / "billing", kind, "test", 1, "FULL", now, rows)
                importing.import_file(engine, path, now, reject_folder=self.service.folder / "reject")
            with database.writing(engine) as connection:
                for debtor in self.debtors:
                    given = (list(debtor.owes), debtor.services, debtor.language, now)
                    subscriptions.register(connection, debtor.phone, *given)
                staff.add(connection, "elena", "operator", now)
                staff.add(connection, "boris", "manager", now)

    def _items(self) -> Iterator[dict[str, str]]:
        due = datetime.now(SOFIA).date() - timedelta(days=20)
        for debtor in self.debtors:
            for number, cents in debtor.owes.items():
                amount = f"{cents // 100},{cents % 100:02}"
                yield {
                    "customer_no": number,
                    "itn": "",
                    "invoice_no": invoice(number),
                    "invoice_date": (due - timedelta(days=14)).isoformat(),
                    "due_date": due.isoformat(),
                    "cutoff_date": self.cutoff.isoformat(),
                    "amount_total": amount,
                    "amount_open": "0,00" if debtor.status == "PAID" else amount,
                    "currency": "EUR",
                    "status": debtor.status,
                    "level": "1",
                    "class": "H",
                    "flags": debtor.flags,
                }

    def _start_run(self) -> None:
        found = json.loads(self._modemd("reminders", "preview", "--json", "--by", "elena"))
        assert found["file"] == found["items"] + sum(found["left_out"].values())
        assert found["recipients"] == sum(debtor.reminded for debtor in self.debtors)
        self._modemd("reminders", "approve", "--by", "boris")
        self._modemd("reminders", "start", "--by", "elena", "--recipients", found["recipients"])

    def _modemd(self, *arguments: object) -> str:
        done = self.service.run(*arguments, "-c", self.service.config)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _ask(self, turn: int, of: int) -> None:
        for debtor in [each for each in self.debtors if each.asks][turn::of]:
            self.service.phones.text(debtor.phone, "smetka")

    def _pay(self, when: str) -> None:
        self._drop_payments(when, 1)
        self._wait_for_payments(when, 1)

    def _drop_payments(self, when: str, seq: int) -> None:
        now = datetime.now(UTC)
        rows = [
            {
                "customer_no": number,
                "invoice_no": invoice(number),
                "paid_at": now.isoformat(),
                "amount": f"{cents // 100},{cents % 100:02}",
            }
            for debtor in self.debtors
            if debtor.pays == when
            for number, cents in list(debtor.owes.items())[:1]  # one of several: the others' text is wrong then, too
        ]
        files.write(self.service.folder / "in", "PAYMENTS", "test", seq, "FULL" if seq == 1 else "DELTA", now, rows)

    def _wait_for_payments(self, when: str, seq: int) -> None:
        taken = select(import_file.c.id).where(import_file.c.type == "PAYMENTS", import_file.c.seq == seq)
        self.service.until(lambda: self._query(taken.where(import_file.c.state == "imported")), PATIENCE)
        self.paid_by[when] = datetime.now(UTC)

    def _stop(self, when: str, *, wait: bool = True) -> None:
        stopping = [debtor for debtor in self.debtors if debtor.stops == when]
        for debtor in stopping:
            self.service.phones.text(debtor.phone, "STOP")
        if wait:
            self.service.until(lambda: all(self._received(debtor) for debtor in stopping), PATIENCE)

    def _until_state(self, state: str) -> None:
        self.service.until(lambda: self._query(select(campaign.c.state))[0].state == state, PATIENCE)

    def _settled(self) -> bool:
        moving = ("queued", "sending", "in_doubt")
        if any(self.service.messages(direction="mt", state=state) for state in moving):
            return False
        return not self.service.messages(direction="mo", state="new")

    # what must be true then

    def check(self) -> None:
        """Every phone has just what should have come: nobody twice, nobody forgotten, nobody who had paid."""
        told = {row.phone: row for row in self._recipients()}
        held = Counter(row.state for row in self.service.messages(direction="mt"))["held"]
        print(f"seed {self.seed}: {Counter(row.state for row in told.values())}, {held} held")
        assert held <= 2 * MODEMS  # the kill, and a fault that hid an answer, on each line
        assert set(told) == {debtor.phone for debtor in self.debtors if debtor.reminded}
        for debtor in self.debtors:
            self._check_phone(debtor, told.get(debtor.phone))
        self.service.until(lambda: self._results_told() >= self._results_settled(), PATIENCE)
        self._check_results()

    def _check_phone(self, debtor: Debtor, row: "Row[Any] | None") -> None:
        received = self._received(debtor)
        reminders = [text for text in received if text == debtor.text(self.cutoff)]
        others = [text for text in received if text != debtor.text(self.cutoff)]
        assert len(reminders) <= 1, f"{debtor.phone} was reminded twice"
        held = {reply.kind for reply in self.service.messages(direction="mt", number=debtor.phone, state="held")}
        if row is None or row.state == "skipped":
            assert not reminders, f"{debtor.phone} was not to be reminded"
        elif row.state != "held":
            assert reminders, f"{debtor.phone} was forgotten, and its message is {row.state}"
        self._check_reason(debtor, row, reminded=bool(reminders))
        if "reply" not in held:
            assert len(others) == debtor.asks + bool(debtor.stops), f"{debtor.phone} has other texts: {others}"
            assert sum("***" in text for text in others) == debtor.asks  # the bill
            assert sum(any(word in text for word in STOPPED) for text in others) == bool(debtor.stops)

    def _check_reason(self, debtor: Debtor, row: "Row[Any] | None", *, reminded: bool) -> None:
        """Whoever paid or stopped before was not reminded; whoever was not reminded has paid or stopped."""
        if row is None:
            return
        if "early" in (debtor.pays, debtor.stops):
            assert not reminded, f"{debtor.phone} had paid or stopped"
            assert row.error in ("paid", "changed since the preview", "stopped by the customer")
        elif row.state == "skipped":
            assert "late" in (debtor.pays, debtor.stops), f"{debtor.phone}: {row.error}"
        elif debtor.pays == "late":
            assert row.marked_at <= self.paid_by["late"], f"{debtor.phone} had paid"
        elif debtor.stops == "late":
            assert row.marked_at <= self._stopped_at(debtor.phone), f"{debtor.phone} had stopped"

    def _received(self, debtor: Debtor) -> list[str]:
        return [str(each["text"]) for each in self.service.phones.phone(debtor.phone)]

    def _recipients(self) -> Iterable[Any]:
        marked = select(part.c.submitted_at).where(part.c.message_id == message.c.id, part.c.number == 1)
        query = select(
            campaign_recipient.c.phone, message.c.state, message.c.error, marked.scalar_subquery().label("marked_at")
        ).outerjoin_from(campaign_recipient, message)
        return self._query(query)

    def _stopped_at(self, phone: str) -> datetime:
        (row,) = self._query(select(inbox.c.done_at).where(inbox.c.number == phone, inbox.c.kind == "stop"))
        done_at: datetime = row.done_at
        return done_at

    def _query(self, query: Any) -> list[Any]:
        with self.service.engine() as engine, database.reading(engine) as connection:
            return list(connection.execute(query))

    def _results_settled(self) -> int:
        over = ("delivered", "undelivered", "expired", "failed", "skipped")
        joined = campaign_item.join(campaign_recipient).join(message)
        query = select(campaign_item.c.id).select_from(joined).where(message.c.state.in_(over))
        return len(self._query(query))

    def _results_told(self) -> int:
        return sum(1 for _ in self._results())

    def _results(self) -> Iterator[dict[str, str]]:
        for path in sorted(Path(self.service.folder / "out").glob("smsresults-*.csv")):
            lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
            columns = lines[1][1:]
            yield from (dict(zip(columns, line[1:], strict=True)) for line in lines if line[0] == "D")

    def _check_results(self) -> None:
        """Billing hears of each invoice once, and what our phones say is what it hears."""
        told = {row.phone: row for row in self._recipients()}
        rows = list(self._results())
        assert len({(row["customer_no"], row["invoice_no"], row["level"]) for row in rows}) == len(rows)
        of_customer = {number: debtor for debtor in self.debtors for number in debtor.owes}
        for row in rows:
            debtor = of_customer[row["customer_no"]]
            assert row["phone_last3"] == debtor.phone[-3:]
            assert row["status"] == told[debtor.phone].state
            assert (row["status"] == "delivered") <= (debtor.text(self.cutoff) in self._received(debtor))
