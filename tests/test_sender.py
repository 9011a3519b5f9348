"""One line's sending: nothing leaves before its mark is committed, and what is urgent goes first."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from modemd import sender as senders
from modemd.config import Limits, Settings
from modemd.errors import CommandRefused, LeavesLater, NoLongerTrue, NotSent, SendInDoubt, VerbFailed
from modemd.messages import OutgoingSms
from modemd.modem.lifecycle import State
from modemd.quota import Quota
from modemd.sender import Sender
from modemd.stagger import Stagger
from modemd.store import database as opening
from modemd.store import lines, listing, outbox, switch
from modemd.store.ledger import Ledger
from modemd.store.requests import hasty
from modemd.store.schema import message
from modemd.store.switch import Allowed
from tests.still_modem import StillModem
from tests.store.outbox_driver import in_the_air

HOST = "test-host"
PHONE = "+359888111001"


def now() -> datetime:
    return datetime.now(UTC)


class Desk(StillModem):
    """A line with a modem whose `send` is what the test says, a real ledger and a real database."""

    def __init__(self, engine: Engine, ledger: Ledger, line_id: int, settings: Settings) -> None:
        super().__init__("gsm1")
        self.engine = engine
        self.ledger = ledger
        self.line_id: int = line_id
        quota = Quota(Limits(), settings.bank.answer_reserve, now())
        marks = {"reminder": self.last_look}
        self.sender = Sender(self, line_id, quota, ledger, settings, now, marks)  # type: ignore[arg-type]
        self.verdicts: dict[int, Exception] = {}  # by part

    def last_look(self, conn: Connection, sendings: Sequence[outbox.Sending], at: datetime, host: str) -> list[None]:
        """What stands before `mark_sending` for reminders."""
        for each in sendings:
            if each.part_id in self.verdicts:
                raise self.verdicts[each.part_id]
        return outbox.mark_sending(conn, sendings, at, host)

    def queue(self, count: int = 1, **fields: Any) -> list[int]:
        given = {"kind": "manual", "recipient": PHONE, "text": "x", "parts": 1, "priority": 5, **fields}
        new = outbox.NewMessage(**given, expires_at=now() + timedelta(hours=1))
        with opening.writing(self.engine) as connection:
            ids = outbox.enqueue(connection, [new] * count, now())
        self.sender.queue_changed()
        return ids

    def states(self, *ids: int) -> list[str]:
        with opening.reading(self.engine) as connection:
            return [state for _, state in sorted(listing.states(connection, ids).items())]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.005)


Play = Callable[[Callable[[Desk], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def play(database: Engine, request: pytest.FixtureRequest) -> Play:
    """Run a coroutine with a desk whose sender runs."""
    settings = Settings.model_validate({"daemon": {"name": HOST, **getattr(request, "param", {})}})

    @asynccontextmanager
    async def desk() -> Any:
        ledger = Ledger(database, now)
        await ledger.start()
        line = await ledger.do(lines.identify, lines.Sim("893590100000001", None), HOST, "p", now(), adopt=True)
        made = Desk(database, ledger, line.id, settings)
        pump = asyncio.create_task(made.sender.run())
        try:
            yield made
        finally:
            made.sender.stop()
            await asyncio.wait_for(pump, 20)
            await ledger.close()

    def run(scene: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            async with desk() as made:
                await scene(made)

        asyncio.run(whole())

    return run


def test_rule_2_a_part_is_committed_as_sending_before_the_modem_may_write_it(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        seen: list[set[int]] = []

        async def look(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            with opening.reading(desk.engine) as connection:  # another connection sees what is committed, no more
                seen.append(in_the_air(connection) - {part_.part_id})
                assert part_.part_id in in_the_air(connection)
            return 1

        desk.behave = look
        ids = desk.queue(3)
        await desk.until(lambda: desk.states(*ids) == ["sent"] * 3)
        assert seen == [set()] * 3

    play(scene)


def test_at_most_one_part_of_a_line_is_ever_unanswered(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        open_parts: list[int] = []

        async def look(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            with opening.reading(desk.engine) as connection:
                open_parts.append(len(in_the_air(connection)))
            return 1

        desk.behave = look
        ids = desk.queue(20)
        await desk.until(lambda: set(desk.states(*ids)) == {"sent"})
        assert open_parts == [1] * 20

    play(scene)


def test_bulk_waits_for_the_answer_to_what_the_modem_has_announced(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.announced.set()
        (bulk,) = desk.queue(1, priority=9)
        await desk.until(lambda: desk.sender._held)
        (answer,) = desk.queue(kind="reply", priority=0, line_id=desk.line_id)
        await desk.until(lambda: len(desk.sender._held) == 2)
        desk.announced.clear()
        await desk.until(lambda: len(desk.sent) == 2)
        assert desk.sent == [answer, bulk]

    play(scene)


def test_an_answer_takes_the_place_of_a_bulk_message_that_is_only_claimed(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        may_go = asyncio.Event()

        async def slowly(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            desk.sent.append(part_.message_id)
            await may_go.wait()
            return 1

        desk.behave = slowly
        first, second, *_ = desk.queue(4, priority=9)
        await desk.until(lambda: desk.sent == [first])
        (answer,) = desk.queue(kind="reply", priority=0, line_id=desk.line_id)
        want = desk.sender.want_answer()
        assert want == outbox.Want(desk.line_id, 1, 0)
        desk.sender.take(await desk.ledger.batch(outbox.claim, want, HOST, timedelta(seconds=30)))
        may_go.set()
        await desk.until(lambda: len(desk.sent) == 5)
        assert desk.sent[:3] == [first, answer, second]

    play(scene)


def test_a_modem_that_falls_ill_gives_back_what_is_only_claimed(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        gone = asyncio.Event()

        async def until_gone(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            await gone.wait()
            raise SendInDoubt(port="p", reason="the modem was unplugged")

        desk.behave = until_gone
        ids = desk.queue(2)
        await desk.until(lambda: desk.states(*ids) == ["sending", "queued"] and _claimed(desk, ids[1]) == HOST)
        desk.state = State.SILENT
        desk.sender.modem_changed()
        await desk.until(lambda: _claimed(desk, ids[1]) is None)
        gone.set()

    play(scene)


def _claimed(desk: Desk, message_id: int) -> str | None:
    with opening.reading(desk.engine) as connection:
        claimed: str | None = connection.scalar(select(message.c.claimed_by).where(message.c.id == message_id))
    return claimed


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (CommandRefused(port="p", command="AT+CMGS", result="CMS 1", advice="-", permanent=True), "failed"),
        (CommandRefused(port="p", command="AT+CMGS", result="CMS 38", advice="-"), "queued"),
        (SendInDoubt(port="p", reason="no answer"), "in_doubt"),
    ],
)
def test_what_the_modem_says_decides_the_state(play: Play, error: Exception, state: str) -> None:
    async def scene(desk: Desk) -> None:
        async def fail(_part: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            raise error

        desk.behave = fail
        ids = desk.queue()
        await desk.until(lambda: desk.states(*ids) == [state])

    play(scene)


def test_what_was_certainly_not_sent_is_sent_again_at_once(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        async def fail_once(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            desk.behave = desk.answer_at_once
            raise NotSent(port="p", reason="no prompt")

        desk.behave = fail_once
        ids = desk.queue()
        await desk.until(lambda: desk.states(*ids) == ["sent"])

    play(scene)


@pytest.mark.parametrize("play", [{"only_to": ["+359888111009"]}], indirect=True)
def test_rule_13_only_to_skips_every_other_number(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        other = desk.queue()
        named = desk.queue(recipient="+359888111009")
        await desk.until(lambda: desk.states(*other, *named) == ["skipped", "sent"])
        assert desk.sent == named

    play(scene)


def test_what_cannot_be_encoded_is_skipped_with_the_reason_and_stops_nothing(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        bad = desk.queue(text="\ufffe" * 2000)
        good = desk.queue()
        await desk.until(lambda: desk.states(*bad, *good) == ["skipped", "sent"])

    play(scene)


def test_what_is_left_of_a_day_s_quota_in_the_end_is_for_answers(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.sender.limit(Limits(per_day=10))
        bulk = desk.queue(12)
        await desk.until(lambda: desk.states(*bulk) == ["sent"] * 9 + ["queued"] * 3)
        (reply,) = desk.queue(kind="reply", priority=0)
        await desk.until(lambda: desk.states(reply) == ["sent"])
        (late,) = desk.queue(kind="reply", priority=0)
        await asyncio.sleep(0.1)
        assert desk.states(late, *bulk[9:]) == ["queued"] * 4
        assert {_claimed(desk, each) for each in (late, *bulk[9:])} == {None}
        desk.sender.limit(Limits())
        await desk.until(lambda: set(desk.states(late, *bulk)) == {"sent"})

    play(scene)


def test_what_may_have_left_counts_towards_the_quota(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        async def doubtful(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            raise SendInDoubt(port="p", reason="no answer")

        desk.behave = doubtful
        desk.sender.limit(Limits(per_day=2))
        ids = desk.queue(3)
        await desk.until(lambda: desk.states(*ids) == ["in_doubt", "in_doubt", "queued"])
        await asyncio.sleep(0.05)
        assert desk.states(*ids) == ["in_doubt", "in_doubt", "queued"]

    play(scene)


def test_rule_13_switched_off_nothing_leaves_and_switched_on_everything(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.sender.allow(Allowed.NONE)
        ids = [*desk.queue(3), *desk.queue(kind="reply", priority=0)]
        assert desk.sender.want_answer() is None
        await asyncio.sleep(0)
        assert desk.states(*ids) == ["queued"] * 4
        assert [_claimed(desk, each) for each in ids] == [None] * 4
        desk.sender.allow(Allowed.ANSWERS)
        await desk.until(lambda: desk.states(*ids) == ["queued"] * 3 + ["sent"])
        assert [_claimed(desk, each) for each in ids[:3]] == [None] * 3
        desk.sender.allow(Allowed.ALL)
        await desk.until(lambda: desk.states(*ids) == ["sent"] * 4)

    play(scene)


def test_rule_13_a_sender_that_has_not_heard_of_the_switch_sends_nothing_all_the_same(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        may_go, tried = asyncio.Event(), asyncio.Event()

        async def at_the_prompt(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            try:
                await committed
            except VerbFailed as error:
                tried.set()
                raise NotSent(port="p", reason=str(error)) from error
            desk.sent.append(part_.message_id)
            await may_go.wait()
            return len(desk.sent)

        desk.behave = at_the_prompt
        ids = desk.queue(2)
        await desk.until(lambda: desk.sent == ids[:1] and _claimed(desk, ids[1]) == HOST)
        with opening.writing(desk.engine) as connection:
            switch.allow(connection, Allowed.NONE, now())
        may_go.set()
        await tried.wait()
        desk.sender.allow(Allowed.NONE)
        await desk.until(lambda: _claimed(desk, ids[1]) is None)
        assert desk.states(*ids) == ["sent", "queued"]
        assert desk.sent == ids[:1]

    play(scene)


def test_rule_13_a_long_message_stops_between_its_parts_and_goes_on_with_the_next(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        parts: list[int] = []

        async def stop_after_the_first(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            parts.append(part_.part_id)
            if len(parts) == 1:
                desk.sender.allow(Allowed.NONE)
            return len(parts)

        desk.behave = stop_after_the_first
        (long,) = desk.queue(text="y" * 400, parts=3)
        await desk.until(lambda: len(parts) == 1 and _claimed(desk, long) is None)
        assert desk.states(long) == ["queued"]
        desk.sender.allow(Allowed.ALL)
        await desk.until(lambda: desk.states(long) == ["sent"])
        assert parts == sorted(set(parts))
        assert len(parts) == 3

    play(scene)


def test_an_error_of_ours_between_two_messages_ends_no_line_s_sending(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(senders, "PAUSE_SECONDS", 0.01)

    async def scene(desk: Desk) -> None:
        failures = iter((RuntimeError("invented"), KeyError("another")))

        async def fails_twice() -> None:
            if (error := next(failures, None)) is not None:
                raise error

        monkeypatch.setattr(desk, "messages_taken_in", fails_twice)
        desk.announced.set()
        ids = desk.queue(2, priority=9)
        await desk.until(lambda: desk.states(*ids) == ["sent", "sent"])
        assert caplog.text.count("sending goes on in") == 2

    play(scene)


@pytest.mark.parametrize("committed_first", [True, False])
def test_an_error_of_ours_in_mid_send_leaves_in_doubt_what_may_be_on_its_way_and_sends_the_rest(
    play: Play, committed_first: bool
) -> None:
    async def scene(desk: Desk) -> None:
        async def breaks(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            desk.behave = desk.answer_at_once
            if committed_first:
                await committed
            raise RuntimeError("invented")

        desk.behave = breaks
        first, second = desk.queue(2)
        await desk.until(lambda: desk.states(second) == ["sent"])
        assert desk.states(first) == ["in_doubt"]
        assert desk.sent == [second]

    play(scene)


def test_a_message_whose_giving_back_fails_is_given_back_a_moment_later(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(senders, "PAUSE_SECONDS", 0.01)
    real = outbox.release

    def fails_until_it_is_logged(*arguments: Any) -> Any:
        if "sending goes on in" not in caplog.text:
            raise VerbFailed(reason="invented")
        return real(*arguments)

    async def scene(desk: Desk) -> None:
        async def stop_after_the_first(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            desk.behave = desk.answer_at_once
            monkeypatch.setattr(outbox, "release", fails_until_it_is_logged)
            desk.sender.allow(Allowed.NONE)
            return 1

        desk.behave = stop_after_the_first
        (long,) = desk.queue(text="y" * 400, parts=3)
        await desk.until(lambda: "sending goes on in" in caplog.text and _claimed(desk, long) is None)
        desk.sender.allow(Allowed.ALL)
        await desk.until(lambda: desk.states(long) == ["sent"])

    play(scene)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(NoLongerTrue(message_id=2, reason="paid"), "skipped"), (LeavesLater(message_id=2, reason="paid"), "cancelled")],
)
def test_rule_10_the_last_look_takes_out_one_and_lets_the_others_go(play: Play, verdict: Exception, state: str) -> None:
    async def scene(desk: Desk) -> None:
        async def look(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            try:
                await committed
            except VerbFailed as error:
                raise NotSent(port="p", reason=str(error)) from error
            desk.sent.append(part_.message_id)
            return len(desk.sent)

        desk.behave = look
        desk.verdicts[2] = verdict
        ids = desk.queue(3, kind="reminder", priority=9)
        await desk.until(lambda: desk.states(*ids) == ["sent", state, "sent"])
        assert desk.sent == [ids[0], ids[2]]
        with opening.reading(desk.engine) as connection:
            assert connection.scalar(select(message.c.error).where(message.c.id == ids[1])) == "paid"

    play(scene)


def test_the_last_look_is_for_its_kind_alone(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        desk.verdicts = {number: NoLongerTrue(message_id=number, reason="paid") for number in range(10)}
        ids = desk.queue(2)
        await desk.until(lambda: desk.states(*ids) == ["sent", "sent"])

    play(scene)


def test_slowed_bulk_leaves_the_line_free_for_its_share_and_answers_do_not_wait(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        loop = asyncio.get_running_loop()
        times: list[tuple[str, float]] = []

        async def takes_time(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            await asyncio.sleep(0.05)
            times.append((part_.kind, loop.time()))
            return len(times)

        desk.behave = takes_time
        desk.sender.slow_bulk(0.125)
        desk.queue(2, priority=9)
        await desk.until(lambda: len(times) == 1)
        (answer,) = desk.queue(kind="reply", priority=0)
        await desk.until(lambda: desk.states(answer) == ["sent"])
        await desk.until(lambda: len(times) == 3)
        assert [kind for kind, _ in times] == ["manual", "reply", "manual"]
        assert times[2][1] - times[0][1] > 0.35  # 0.05 s at an eighth of the time, by the loop's own clock

    play(scene)


def test_a_line_that_has_been_idle_sets_out_with_bulk_when_it_is_told_and_answers_at_once(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stagger, "start_at", lambda _stagger: math.inf)

    async def scene(desk: Desk) -> None:
        (bulk,) = desk.queue(priority=9)
        one, another = desk.queue(2, kind="reply", priority=0)
        await desk.until(lambda: desk.states(one, another) == ["sent", "sent"])
        assert desk.sent == [one, another]
        assert desk.states(bulk) == ["queued"]

    play(scene)


def test_a_line_that_is_at_it_does_not_set_out_again(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Stagger] = []

    def start_at(stagger: Stagger) -> float:
        asked.append(stagger)
        return 0.0

    monkeypatch.setattr(Stagger, "start_at", start_at)

    async def scene(desk: Desk) -> None:
        async def takes_time(_part: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            await asyncio.sleep(0.3)
            return 1

        desk.behave = takes_time
        ids = desk.queue(3, priority=9)
        await desk.until(lambda: desk.states(*ids) == ["sent"] * 3)
        assert len(asked) == 1

    play(scene)


def test_what_became_of_bulk_is_written_in_the_line_s_turn_with_the_next_mark(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    its_turn = asyncio.Event()
    asked: list[tuple[float, float]] = []

    async def turn(_stagger: Stagger, took: float, before: float, begin: Callable[[], object]) -> None:
        asked.append((took, before))
        if len(asked) == 2:
            await its_turn.wait()
        begin()

    monkeypatch.setattr(Stagger, "turn", turn)

    async def scene(desk: Desk) -> None:
        rounds: list[Sequence[outbox.Sent | outbox.Sending]] = []
        original = outbox.turn

        def spy(
            conn: Connection, items: Sequence[outbox.Sent | outbox.Sending], now: datetime, host: str
        ) -> list[None]:
            rounds.append(items)
            return original(conn, items, now, host)

        hasty(0)(spy)
        monkeypatch.setattr(outbox, "turn", spy)
        ids = desk.queue(3, priority=9)
        await desk.until(lambda: len(asked) == 2)
        await asyncio.sleep(0.1)
        assert desk.states(*ids) == ["sent", "sending", "queued"]
        its_turn.set()
        await desk.until(lambda: desk.states(*ids) == ["sent"] * 3)
        first, second, third = (took for took, _ in asked)
        assert asked == [(first, first), (second, first), (third, second)]
        assert [[type(item) for item in items] for items in rounds] == [
            [outbox.Sending],
            [outbox.Sent, outbox.Sending],
            [outbox.Sent, outbox.Sending],
            [outbox.Sent],
        ]

    play(scene)


def test_an_answer_does_not_wait_for_a_turn(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Stagger, "turn")

    async def scene(desk: Desk) -> None:
        ids = desk.queue(2, kind="reply", priority=0)
        await desk.until(lambda: desk.states(*ids) == ["sent", "sent"])

    play(scene)


def test_a_part_that_could_not_be_written_down_as_sent_is_told_of(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = outbox.turn

    def refuse(conn: Connection, items: Sequence[outbox.Sent | outbox.Sending], now: datetime, host: str) -> list[None]:
        if any(isinstance(item, outbox.Sent) for item in items):
            raise VerbFailed(reason="no")
        return original(conn, items, now, host)

    monkeypatch.setattr(outbox, "turn", refuse)

    async def scene(desk: Desk) -> None:
        desk.queue(priority=9)
        await desk.until(lambda: "a part that was sent could not be written down" in caplog.text)

    play(scene)


def test_an_answer_goes_between_two_parts_of_a_long_message(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        may_go = asyncio.Event()
        order: list[str] = []

        async def slowly(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            await committed
            order.append(part_.kind)
            if len(order) == 1:
                await may_go.wait()
            return len(order)

        desk.behave = slowly
        (long,) = desk.queue(text="y" * 400, parts=3, priority=9)
        await desk.until(lambda: order == ["manual"])
        (answer,) = desk.queue(kind="reply", priority=0, line_id=desk.line_id)
        want = desk.sender.want_answer()
        assert want is not None
        desk.sender.take(await desk.ledger.batch(outbox.claim, want, HOST, timedelta(seconds=30)))
        may_go.set()
        await desk.until(lambda: desk.states(long, answer) == ["sent", "sent"])
        assert order == ["manual", "reply", "manual", "manual"]

    play(scene)


def test_a_message_refused_at_the_prompt_whose_mark_failed_is_given_back(play: Play) -> None:
    async def scene(desk: Desk) -> None:
        may_go, tried = asyncio.Event(), asyncio.Event()

        async def refuse_the_second(part_: OutgoingSms, committed: Awaitable[object]) -> int:
            if desk.sent:
                tried.set()
                raise CommandRefused(port="p", command="AT+CMGS", result="CMS 310", advice="-")
            await committed
            desk.sent.append(part_.message_id)
            await may_go.wait()
            return 1

        desk.behave = refuse_the_second
        ids = desk.queue(2)
        await desk.until(lambda: desk.sent == ids[:1] and _claimed(desk, ids[1]) == HOST)
        with opening.writing(desk.engine) as connection:
            switch.allow(connection, Allowed.NONE, now())  # which the sender has not heard of
        may_go.set()
        await tried.wait()
        desk.sender.allow(Allowed.NONE)
        await desk.until(lambda: _claimed(desk, ids[1]) is None)
        assert desk.states(*ids) == ["sent", "queued"]

    play(scene)
