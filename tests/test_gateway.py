"""Where modems and the database meet: who sends for which line, what is answered, what people want, what time moves."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from modemd import answering, identity
from modemd import gateway as gateways
from modemd.config import Settings
from modemd.errors import CommandRefused, ModemError, NotSent
from modemd.gateway import Gateway
from modemd.messages import AlertKind, OutgoingSms, ReceivedSms
from modemd.modem.lifecycle import State
from modemd.stagger import Stagger
from modemd.store import alerts, lines, listing, modems, outbox, rules, switch
from modemd.store import database as opening
from modemd.store.ledger import Ledger
from modemd.store.lines import Sim
from modemd.store.schema import line, message, part
from modemd.store.switch import Allowed
from tests.still_modem import StillModem

HOST = "test-host"
PHONE = "+359888111001"
ONE, TWO = "8935901000000000001", "8935901000000000002"


class House:
    """A gateway over a real ledger and a real database, with modems that are what the test says."""

    def __init__(self, engine: Engine, ledger: Ledger, settings: Settings) -> None:
        self.engine = engine
        self.ledger = ledger
        self.late = timedelta()  # how far the clock has been put forward
        self.gateway = Gateway(settings, ledger, "this-run", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    async def plug_in(self, port: str, iccid: str | None, imei: str | None = None) -> StillModem:
        """A modem comes and tells who it is, as the bank does it."""
        modem = StillModem(port, iccid, imei)
        await self.returns(modem)
        return modem

    async def returns(self, modem: StillModem) -> None:
        modem.state = State.STARTING
        self.gateway.modem_changed(modem)
        await self.gateway.identified(modem)
        modem.state = State.READY
        self.gateway.modem_changed(modem)

    def changes(self, modem: StillModem, state: State, reason: str | None = None) -> None:
        modem.state, modem.reason = state, reason
        self.gateway.modem_changed(modem)

    def queue(self, count: int = 1, **fields: Any) -> list[int]:
        given = {"kind": "manual", "recipient": PHONE, "text": "x", "parts": 1, "priority": 5}
        expires = {"expires_at": self.now() + timedelta(hours=1)}
        new = outbox.NewMessage(**{**given, **expires, **fields})
        with opening.writing(self.engine) as connection:
            ids = outbox.enqueue(connection, [new] * count, self.now())
        self.gateway.queue_changed()
        return ids

    def write(self, verb: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with opening.writing(self.engine) as connection:
            return verb(connection, *arguments, **named)

    def states(self, *ids: int) -> list[str]:
        with opening.reading(self.engine) as connection:
            return [state for _, state in sorted(listing.states(connection, ids).items())]

    def iccid_of(self, modem: StillModem) -> str | None:
        """Of the modem's line."""
        with opening.reading(self.engine) as connection:
            return connection.scalar(select(line.c.iccid).where(line.c.id == modem.line_id))

    def alerts(self) -> dict[AlertKind, str]:
        with opening.reading(self.engine) as connection:
            return {alert.kind: alert.text for alert in alerts.standing(connection)}

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.005)


Scene = Callable[[House], Coroutine[Any, Any, None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(database: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run a coroutine with a house that follows what people want, and keeps house ten times a second."""
    given = {"daemon": {"name": HOST}, **getattr(request, "param", {})}
    settings = Settings.model_validate(given)
    monkeypatch.setattr(gateways, "HOUSEKEEPING_SECONDS", 0.1)

    @asynccontextmanager
    async def open_house() -> Any:
        ledger: Ledger
        house: House
        ledger = Ledger(database, lambda: house.now())
        house = House(database, ledger, settings)
        await ledger.start()
        await ledger.do(lines.host_started, HOST, "this-run", 1, house.now())
        pumps = [asyncio.create_task(pump) for pump in (house.gateway.follow(), house.gateway.keep_house())]
        try:
            yield house
        finally:
            await house.gateway.stop(5)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await ledger.close()

    def run(scene: Scene) -> None:
        async def whole() -> None:
            async with open_house() as house:
                await scene(house)

        asyncio.run(whole())

    return run


# who sends for which line


def test_a_sim_that_has_gone_sends_through_its_modem_no_more(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        first = modem.line_id
        modem.tell(TWO)
        await house.returns(modem)
        assert modem.line_id != first
        (pinned,) = house.queue(line_id=first)
        (other,) = house.queue(line_id=modem.line_id)
        await house.until(lambda: house.states(other) == ["sent"])
        assert house.states(pinned) == ["queued"]
        assert modem.sent == [other]

    play(scene)


def test_a_line_s_next_sender_begins_when_the_last_one_has_nothing_in_the_air(play: Play) -> None:
    async def scene(house: House) -> None:
        before = await house.plug_in("p1", ONE)
        line_id = before.line_id
        let_go = asyncio.Event()

        async def long(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            before.sent.append(part_.message_id)
            await let_go.wait()
            return 1

        before.behave = long
        first, second = house.queue(2, line_id=line_id)
        await house.until(lambda: before.sent == [first])
        before.tell(TWO)  # another SIM in the old modem: the line's sender ends there …
        await house.returns(before)
        after = await house.plug_in("p2", ONE)  # … and begins here
        assert after.line_id == line_id
        await asyncio.sleep(0.1)
        assert after.sent == []
        let_go.set()
        await house.until(lambda: after.sent == [second])
        await house.until(lambda: house.states(first, second) == ["sent", "sent"])

    play(scene)


def test_the_lines_of_a_host_take_turns_with_each_other(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Stagger] = []

    async def turn(stagger: Stagger, _took: float, _before: float, begin: Callable[[], object]) -> None:
        asked.append(stagger)
        begin()

    monkeypatch.setattr(Stagger, "turn", turn)

    async def scene(house: House) -> None:
        modems = [await house.plug_in("p1", ONE), await house.plug_in("p2", TWO)]
        ids = [*house.queue(line_id=modems[0].line_id), *house.queue(line_id=modems[1].line_id)]
        await house.until(lambda: house.states(*ids) == ["sent", "sent"])
        assert len(asked) == 2
        assert asked[0] is asked[1]

    play(scene)


def test_sims_that_change_places_take_name_quota_and_history_along_and_replies_leave_through_the_sim(
    play: Play,
) -> None:
    async def scene(house: House) -> None:
        one = await house.plug_in("p1", ONE, "351000000000001")
        two = await house.plug_in("p2", TWO, "351000000000002")
        lines_before = one.line_id, two.line_id
        house.write(rules.rename, one.line_id, "First")
        house.write(rules.change, one.line_id, per_day=3)
        house.gateway.queue_changed()
        sender = house.gateway._lines.sender_of(one.line_id or 0)
        assert sender is not None
        await house.until(lambda: sender._quota.limits.per_day == 3)
        before = house.queue(2, line_id=one.line_id)
        await house.until(lambda: house.states(*before) == ["sent", "sent"])
        for modem in (one, two):
            house.changes(modem, State.ABSENT)
        one.tell(TWO, "351000000000001")
        two.tell(ONE, "351000000000002")
        for modem in (one, two):
            await house.returns(modem)
        assert (two.line_id, one.line_id) == lines_before
        assert two.line_name == "First"
        await house.gateway.sms_received(two, [_sms()])
        await house.until(lambda: len(two.sent) == 1)  # the third of the day, which is for an answer
        assert len(one.sent) == 2
        late = house.queue(2, line_id=two.line_id)
        other = house.queue(line_id=one.line_id)
        await house.until(lambda: house.states(*other) == ["sent"])
        assert house.states(*late) == ["queued", "queued"]

    play(scene)


def test_what_a_modem_told_before_it_was_gone_does_not_count(play: Play) -> None:
    async def scene(house: House) -> None:
        first = await house.plug_in("p1", ONE)
        house.changes(first, State.ABSENT)
        second = await house.plug_in("p2", ONE)
        assert second.line_id == first.line_id

    play(scene)


def test_two_live_modems_that_show_one_sim_are_kept_apart_until_one_turns_out_to_have_another(play: Play) -> None:
    async def scene(house: House) -> None:
        first = await house.plug_in("p1", ONE)
        double = await house.plug_in("p2", ONE)
        assert house.iccid_of(first) == ONE
        assert house.iccid_of(double) is None  # a line of its own, known by its port
        assert double.line_id != first.line_id
        again = await house.plug_in("p3", ONE)
        assert len({first.line_id, double.line_id, again.line_id}) == 3
        first.tell(TWO)
        await house.returns(first)
        assert house.iccid_of(first) == TWO
        assert house.iccid_of(double) == ONE
        (pinned,) = house.queue(line_id=double.line_id)
        await house.until(lambda: double.sent == [pinned])
        with opening.reading(house.engine) as connection:  # the panel knows it too
            assert modems.port_of_sim(connection, HOST, ONE, None) == "p2"

    play(scene)


def test_a_double_that_is_unplugged_gets_no_line_when_the_sim_is_free(play: Play) -> None:
    async def scene(house: House) -> None:
        first = await house.plug_in("p1", ONE)
        double = await house.plug_in("p2", ONE)
        before = double.line_id
        house.changes(double, State.ABSENT)
        first.tell(TWO)
        await house.returns(first)
        assert double.line_id == before

    play(scene)


def test_the_modem_that_had_a_sim_before_speaks_first(play: Play) -> None:
    async def scene(house: House) -> None:
        known = house.write(lines.identify, Sim(ONE, None), HOST, "p2", house.now(), adopt=True)
        house.write(modems.save, [modems.ModemRow(HOST, "p2", known.id, "absent", house.now())], house.now())
        owner, other = StillModem("p2", ONE), StillModem("p1", ONE)
        for modem in (owner, other):
            house.changes(modem, State.STARTING)
        hasty = asyncio.create_task(house.gateway.identified(other))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        assert not hasty.done()
        await house.gateway.identified(owner)  # type: ignore[arg-type]
        await hasty
        assert owner.line_id == known.id
        assert other.line_id != known.id

    play(scene)


def test_a_modem_does_not_wait_for_ever_for_one_that_says_nothing(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "IDENTITY_SECONDS", 0.05)

    async def scene(house: House) -> None:
        known = house.write(lines.identify, Sim(ONE, None), HOST, "p2", house.now(), adopt=True)
        house.write(modems.save, [modems.ModemRow(HOST, "p2", known.id, "absent", house.now())], house.now())
        house.changes(StillModem("p2"), State.STARTING)
        modem = await house.plug_in("p1", ONE)
        assert modem.line_id == known.id

    play(scene)


def test_a_modem_that_is_identified_again_keeps_its_sender_and_what_that_holds(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        assert modem.line_id is not None
        sender = house.gateway._lines.sender_of(modem.line_id)
        await house.returns(modem)
        assert house.gateway._lines.sender_of(modem.line_id) is sender

    play(scene)


@pytest.mark.parametrize("play", [{"bank": {"adopt": False}}], indirect=True)
def test_a_line_that_waits_for_a_technician_sends_nothing_until_he_adopts_it(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        (queued,) = house.queue()
        await asyncio.sleep(0.1)
        assert house.states(queued) == ["queued"]
        house.write(rules.adopt, modem.line_id, house.now())
        house.gateway.queue_changed()
        await house.until(lambda: house.states(queued) == ["sent"])

    play(scene)


# what people want


def test_rule_13_the_switch_is_obeyed_though_a_modem_or_the_rules_fail(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        other = await house.plug_in("p2", TWO)
        assert modem.line_id is not None

        def fails(*_: object) -> Any:
            raise RuntimeError("invented")

        monkeypatch.setattr(house.gateway._lines.sender_of(modem.line_id), "limit", fails)
        house.write(switch.allow, Allowed.NONE, house.now())
        house.write(rules.rename, other.line_id, "Second")
        house.gateway.queue_changed()
        await house.until(lambda: other.line_name == "Second")  # what fails for one holds up no other
        assert house.gateway._lines._allowed is Allowed.NONE
        monkeypatch.setattr(rules, "read", fails)
        house.write(switch.allow, Allowed.ALL, house.now())
        house.gateway.queue_changed()
        await house.until(lambda: house.gateway._lines._allowed is Allowed.ALL)
        await house.until(lambda: "what people want cannot be read" in caplog.text)

    play(scene)


def test_what_was_set_before_a_message_was_queued_holds_for_it(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(house: House) -> None:
        done: list[str] = []
        read = rules.read
        monkeypatch.setattr(rules, "read", lambda connection: (done.append("rules"), read(connection))[1])
        monkeypatch.setattr(house.gateway._lines, "queue_changed", lambda: done.append("queue"))
        house.gateway.queue_changed()
        await house.until(lambda: "queue" in done)
        assert done[0] == "rules"

    play(scene)


def test_a_sender_that_starts_while_sending_is_switched_off_sends_nothing(play: Play) -> None:
    async def scene(house: House) -> None:
        house.write(switch.allow, Allowed.NONE, house.now())
        house.gateway.queue_changed()
        await house.until(lambda: house.gateway._lines._allowed is Allowed.NONE)
        modem = await house.plug_in("p1", ONE)
        assert modem.line_id is not None
        sender = house.gateway._lines.sender_of(modem.line_id)
        assert sender is not None
        assert not sender.may_send()

    play(scene)


def test_a_technician_s_limit_holds_from_the_next_message_on(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        house.write(rules.change, modem.line_id, per_day=2)
        house.gateway.queue_changed()
        sender = house.gateway._lines.sender_of(modem.line_id or 0)
        assert sender is not None
        await house.until(lambda: sender._quota.limits.per_day == 2)
        ids = house.queue(3)
        await house.until(lambda: house.states(*ids)[:2] == ["sent", "sent"])
        await asyncio.sleep(0.05)
        assert house.states(*ids) == ["sent", "sent", "queued"]

    play(scene)


# what came


def _sms(text: str = "pomosht", number: str = PHONE) -> ReceivedSms:
    now = datetime.now(UTC)
    return ReceivedSms(text.encode().hex(), "SM", 1, now, number, True, text, smsc_time=now)


def test_what_comes_through_a_modem_without_a_line_is_refused_so_that_it_stays_on_the_modem(play: Play) -> None:
    async def scene(house: House) -> None:
        with pytest.raises(ModemError, match="no line"):
            await house.gateway.sms_received(StillModem("p1"), [_sms()])

    play(scene)


def test_a_question_that_is_being_answered_is_not_begun_again_by_housekeeping(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        (question,) = await house.ledger.do(answering.record, modem.line_id or 0, [_sms()], house.now())
        for _ in range(2):
            house.gateway._begin_answer(question)
        await house.until(lambda: modem.sent and not house.gateway._answers)
        assert len(modem.sent) == 1
        assert "is not answered" not in caplog.text

    play(scene)


def test_a_question_whose_answer_fails_is_answered_by_a_later_round(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = answering.answer

    def fails_until_it_is_logged(*arguments: Any) -> Any:
        if "tried again in a while" not in caplog.text:
            raise RuntimeError("invented")
        return real(*arguments)

    monkeypatch.setattr(answering, "answer", fails_until_it_is_logged)

    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        await house.gateway.sms_received(modem, [_sms()])
        await house.until(lambda: modem.sent)

    play(scene)


def test_a_late_answer_settles_a_part_in_doubt(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        sender = house.gateway._lines.sender_of(modem.line_id or 0)
        assert sender is not None
        house.changes(modem, State.SILENT)
        ids = house.queue(3)
        with opening.writing(house.engine) as connection:
            parts = list(connection.scalars(select(part.c.id).order_by(part.c.id)))
            doubt = {"state": "in_doubt", "line_id": modem.line_id, "submitted_at": house.now()}
            connection.execute(update(part).values(**doubt))
            connection.execute(update(message).values(state="in_doubt"))
        refusal = CommandRefused(port="p1", command="AT+CMGS", result="CMS 1", advice="-", permanent=True)
        house.gateway.late_result(modem, parts[0], 77)
        house.gateway.late_result(modem, parts[1], refusal)
        house.gateway.late_result(modem, parts[2], NotSent(port="p1", reason="-"))
        await house.until(lambda: house.states(*ids)[:2] == ["sent", "failed"])
        assert house.states(ids[2]) == ["in_doubt"]

    play(scene)


# how the modems are


def test_a_quarantined_modem_is_an_alert_until_it_is_well(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        house.changes(modem, State.QUARANTINED, "no SIM")
        await house.until(lambda: house.alerts() == {AlertKind.QUARANTINED: "no SIM"})
        house.changes(modem, State.STARTING)  # it is tried again: that alone is no cure
        await house.ledger.do(lines.host_seen, HOST, "this-run", house.now())
        assert house.alerts() == {AlertKind.QUARANTINED: "no SIM"}
        house.changes(modem, State.QUARANTINED, "PUK")
        await house.until(lambda: house.alerts() == {AlertKind.QUARANTINED: "PUK"})
        house.changes(modem, State.READY)
        await house.until(lambda: house.alerts() == {})

    play(scene)


def test_an_alert_is_written_when_it_changes_and_not_at_every_look(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        written: list[object] = []
        monkeypatch.setattr(house.ledger, "post", lambda verb, item: written.append(item))
        for words in ("full", "full", "fuller", "fuller", None, None):
            house.gateway.alert(modem, AlertKind.STORAGE_FULL, words)
        assert [notice.text for notice in written] == ["full", "fuller", None]  # type: ignore[attr-defined]

    play(scene)


def test_a_bank_without_a_ready_modem_is_an_alert_after_a_minute(play: Play) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        house.changes(modem, State.SILENT)
        await asyncio.sleep(0.3)
        assert house.alerts() == {}
        house.late = timedelta(minutes=2)
        await house.until(lambda: AlertKind.NO_LINE_READY in house.alerts())
        house.changes(modem, State.READY)
        await house.until(lambda: house.alerts() == {})

    play(scene)


# what time moves


def test_a_message_leaves_when_it_is_due_and_housekeeping_does_not_oversleep(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "HOUSEKEEPING_SECONDS", 3600.0)

    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        (later,) = house.queue(not_before=house.now() + timedelta(seconds=0.5))
        keeping = asyncio.create_task(house.gateway.keep_house())
        await house.until(lambda: modem.sent == [later])
        keeping.cancel()

    play(scene)


def test_housekeeping_that_fails_goes_on(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = gateways.upkeep.expire

    def fails(*arguments: Any) -> int:
        if "housekeeping failed" not in caplog.text:
            raise RuntimeError("invented")
        return real(*arguments)

    monkeypatch.setattr(gateways.upkeep, "expire", fails)

    async def scene(house: House) -> None:
        house.write(outbox.enqueue, [outbox.NewMessage("manual", PHONE, "x", 1, 5, house.now())], house.now())
        await house.until(lambda: house.states(1) == ["expired"])

    play(scene)


def test_a_stop_waits_for_what_is_in_the_air_and_not_for_ever(play: Play) -> None:
    async def scene(house: House) -> None:
        modem, stuck = await house.plug_in("p1", ONE), await house.plug_in("p2", TWO)
        let_go = asyncio.Event()

        async def waits(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            modem.sent.append(part_.message_id)
            await let_go.wait()
            return 1

        async def for_ever(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            stuck.sent.append(part_.message_id)
            await asyncio.Event().wait()
            return 1

        modem.behave, stuck.behave = waits, for_ever
        (first,), (second,) = house.queue(line_id=modem.line_id), house.queue(line_id=stuck.line_id)
        await house.until(lambda: modem.sent and stuck.sent)
        stopping = asyncio.create_task(house.gateway.stop(0.5))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        let_go.set()
        await stopping
        await house.until(lambda: house.states(first, second) == ["sent", "sending"])

    play(scene)


# what the watchdog asks


def test_housekeeping_that_does_not_come_round_hangs(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        begun.set()
        go_on.wait(20)

    async def scene(house: House) -> None:
        await house.until(lambda: house.gateway._house_kept_at is not None)
        assert house.gateway.hangs() is None
        held = house.ledger.do(hold)
        await asyncio.to_thread(begun.wait)
        monkeypatch.setattr(gateways, "HANGS_SECONDS", 0.3)
        await house.until(lambda: house.gateway.hangs() == "housekeeping hangs for more than 0 s")
        go_on.set()
        await held
        await house.until(lambda: house.gateway.hangs() is None)

    play(scene)


def test_a_line_whose_sender_is_dead_hangs(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    go = asyncio.Event()

    async def die(_sender: object) -> None:
        await go.wait()

    monkeypatch.setattr(identity.Sender, "run", die)

    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        assert house.gateway.hangs() is None
        go.set()
        await house.until(lambda: house.gateway.hangs() == f"nothing sends through line {modem.line_id} any more")

    play(scene)


# a clock that jumps


@pytest.mark.parametrize("jump", [timedelta(days=1), -timedelta(days=1)], ids=["ahead", "back"])
def test_a_clock_that_jumps_by_a_day_loses_nothing_and_repeats_nothing(play: Play, jump: timedelta) -> None:
    async def scene(house: House) -> None:
        modem = await house.plug_in("p1", ONE)
        ids = house.queue(10, expires_at=house.now() + timedelta(days=3))  # as many as leave in a minute
        await house.until(lambda: len(modem.sent) == 10)
        house.late = jump
        ids += house.queue(5, expires_at=house.now() + timedelta(days=3))
        await house.until(lambda: len(modem.sent) == 15)
        house.late = timedelta()
        await house.until(lambda: set(house.states(*ids)) == {"sent"})
        assert sorted(modem.sent) == ids

    play(scene)
