"""What is found out by looking, and how people are told of it: by e-mail and by SMS, with limits and quiet hours."""

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, Engine, select

from modemd.alerts import WHAT_TO_DO, Alarms
from modemd.config import Settings
from modemd.messages import AlertKind, ReceivedSms
from modemd.store import alerts, inbox, lines, outbox
from modemd.store import database as opening
from modemd.store.alerts import Notice
from modemd.store.ledger import Ledger
from modemd.store.lines import Sim
from modemd.store.outbox import NewMessage, Sending, Want
from modemd.store.schema import message
from tests.relay import Relay, relay

__all__ = ["relay"]
HOST = "gsm-host-1"
NOON = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 12:00 in Sofia
NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # 01:30
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TECHNICIANS = ("+359888000901", "+359888000902")


class Watch:
    """The alarms of a daemon over a real ledger, at a time that tests move."""

    def __init__(self, engine: Engine, ledger: Ledger, settings: Settings, now: datetime) -> None:
        self.engine = engine
        self.now = now
        self.alarms = Alarms(settings, engine, ledger, lambda: self.now)

    def write(self, verb: Callable[..., Any], *arguments: Any) -> Any:
        with opening.writing(self.engine) as conn:
            return verb(conn, *arguments)

    def note(self, text: str | None, kind: AlertKind = AlertKind.QUARANTINED, subject: str = "p1") -> None:
        self.write(alerts.note, [Notice(HOST, subject, kind, "A1 first", text)], self.now)

    async def later(self, time: timedelta = timedelta()) -> dict[AlertKind, str]:
        """Look and tell after so long; what stands then."""
        self.now += time
        await self.alarms.look()
        await self.alarms.tell()
        await self.alarms._ledger.do(lambda conn: None)  # what was posted is written
        with opening.reading(self.engine) as conn:
            return {each.kind: f"{each.name}: {each.text}" for each in alerts.standing(conn)}

    def sms(self) -> list[tuple[str, str]]:
        with opening.reading(self.engine) as conn:
            return [(row.recipient, row.text) for row in conn.execute(select(message).order_by(message.c.id))]

    def line(self, number: int = 1) -> int:
        sim = Sim(f"89359010000000{number:05}", None)
        return int(self.write(lambda conn: lines.identify(conn, sim, HOST, f"p{number}", self.now, adopt=True).id))

    def queue(self, **columns: Any) -> int:
        given = {"kind": "manual", "recipient": "+359888111001", "text": "x", "parts": 1, "priority": 5, **columns}
        new = NewMessage(**given, expires_at=self.now + 99 * HOUR)
        return int(self.write(outbox.enqueue, [new], self.now)[0])


Scene = Callable[[Watch], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path, sqlite_template: Path) -> Play:
    """Run a scene with these [alerts]: `play(scene, sms_to=[…])`."""

    def run(scene: Scene, now: datetime = NOON, **given: Any) -> None:
        asyncio.run(whole(scene, now, given))

    async def whole(scene: Scene, now: datetime, given: dict[str, Any]) -> None:
        path = tmp_path / "modemd.db"
        shutil.copy(sqlite_template, path)
        settings = Settings.model_validate(
            {"database": {"url": f"sqlite:///{path}"}, "daemon": {"name": HOST, "data": tmp_path}, "alerts": given}
        )
        engine = opening.connect(settings.database.url)
        watch: Watch
        ledger = Ledger(engine, lambda: watch.now)
        watch = Watch(engine, ledger, settings, now)
        await ledger.start()
        try:
            watch.write(lines.host_started, HOST, "first", 1, now)
            await scene(watch)
        finally:
            await ledger.close()
            engine.dispose()

    return run


# what is found by looking


def test_answers_that_wait_too_long_are_an_alert_until_they_leave(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        line = watch.line()
        watch.queue(kind="reply", priority=0, line_id=line)
        assert await watch.later(5 * MINUTE) == {}
        told = {AlertKind.QUEUE_OLD: f"{HOST}: an answer or a code waits for more than 6 minutes"}
        assert await watch.later(MINUTE) == told
        watch.write(outbox.claim, [Want(line, 1)], watch.now, HOST, HOUR)
        assert await watch.later(MINUTE) == {}

    play(scene)


def test_other_messages_may_wait_for_longer(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        watch.queue()
        assert await watch.later(12 * HOUR) == {}
        assert list(await watch.later(MINUTE)) == [AlertKind.QUEUE_OLD]

    play(scene)


def test_doubt_that_grows_is_an_alert(play: Play) -> None:
    def doubt(conn: Connection, watch: Watch, line: int, count: int) -> None:
        (claims,) = outbox.claim(conn, [Want(line, count)], watch.now, HOST, HOUR)
        for part in [claim.open_parts[0].id for claim in claims]:
            outbox.mark_sending(conn, [Sending(part, line)], watch.now, HOST)
            outbox.doubt(conn, [part], watch.now)

    async def scene(watch: Watch) -> None:
        line = watch.line()
        for _ in range(3):
            watch.queue()
        watch.write(doubt, watch, line, 2)
        assert await watch.later() == {}
        watch.write(doubt, watch, line, 1)
        assert await watch.later() == {AlertKind.DOUBT_GROWS: f"{HOST}: 3 parts of the last hour are in doubt"}
        assert await watch.later(HOUR + MINUTE) == {}

    play(scene, doubts=2)


def test_a_line_that_falls_silent_is_an_alert_until_something_comes(play: Play) -> None:
    def text(conn: Connection, line: int, at: datetime) -> None:
        inbox.record(conn, line, [ReceivedSms(f"{at:%d%H%M}", None, None, at, "+359888111001", True, "x")], at)

    async def scene(watch: Watch) -> None:
        line = watch.line()
        for week in (1, 2, 3):
            watch.write(text, line, watch.now - timedelta(weeks=week) - MINUTE)
        assert await watch.later() == {
            AlertKind.SILENT: "gsm1: nothing has come in for 60 minutes, where there is usually traffic"
        }
        watch.write(text, line, watch.now)
        assert await watch.later() == {}

    play(scene, silence_usual=1)


def test_a_disk_that_is_nearly_full_is_an_alert(play: Play, tmp_path: Path) -> None:
    async def scene(watch: Watch) -> None:
        assert f"MiB are free where {tmp_path} is" in (await watch.later())[AlertKind.DISK_LOW]

    play(scene, disk_mib=2**40)


def test_of_several_daemons_one_looks_at_what_is_common(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        watch.queue()
        watch.now += 13 * HOUR
        watch.write(lines.host_started, "a-host", "first", 1, watch.now)
        watch.write(lines.host_seen, HOST, "first", watch.now)
        assert await watch.later() == {}
        watch.now += MINUTE  # it is not seen any more
        watch.write(lines.host_seen, HOST, "first", watch.now)
        assert list(await watch.later()) == [AlertKind.QUEUE_OLD]

    play(scene)


# by e-mail


def test_an_email_says_what_is_wrong_since_when_and_what_to_do(play: Play, relay: Relay) -> None:
    async def scene(watch: Watch) -> None:
        watch.note("no answer to AT")
        watch.note("it wants its PUK", AlertKind.PUK, "p2")
        await watch.later(2 * MINUTE)
        await watch.later(MINUTE)

    play(scene, email_to=["elena@example.bg", "ivan@example.bg"], email_from="sms@example.bg", relay=relay.address)
    (letter,) = relay.letters
    assert letter["Subject"] == "[modemd gsm-host-1] A1 first: quarantined and 1 more"
    assert (letter["From"], letter["To"]) == ("sms@example.bg", "elena@example.bg, ivan@example.bg")
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_content().replace("\r\n", "\n")
    assert "A1 first: no answer to AT\nsince 23.11.2026 12:00\nWhat to do: read the reason" in text
    assert "A1 first: it wants its PUK" in text


def test_that_it_is_over_is_told_too(play: Play, relay: Relay) -> None:
    async def scene(watch: Watch) -> None:
        watch.note("no answer to AT")
        await watch.later(2 * MINUTE)
        watch.note(None)
        await watch.later(2 * MINUTE)

    play(scene, email_to=["elena@example.bg"], relay=relay.address)
    assert [letter["Subject"] for letter in relay.letters] == [
        "[modemd gsm-host-1] A1 first: quarantined",
        "[modemd gsm-host-1] over: A1 first: quarantined",
    ]


def test_a_relay_that_does_not_take_it_is_an_alert_and_is_tried_again(
    play: Play, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    relay.refuses = True

    async def scene(watch: Watch) -> None:
        watch.note("no answer to AT")
        stands = await watch.later(2 * MINUTE)
        assert stands[AlertKind.NOT_TOLD] == f"{HOST}: no e-mail can be sent: SMTPSenderRefused"
        relay.refuses = False
        assert list(await watch.later(MINUTE)) == [AlertKind.QUARANTINED]

    play(scene, email_to=["elena@example.bg"], relay=relay.address)
    assert len(relay.letters) == 1


def test_a_flood_of_alerts_is_few_letters(play: Play, relay: Relay) -> None:
    async def scene(watch: Watch) -> None:
        for number in range(20):
            watch.note("no answer", subject=f"p{number}")
            await watch.later(2 * MINUTE)
        assert len(relay.letters) == 3
        await watch.later(HOUR)
        assert relay.letters[-1]["Subject"] == "[modemd gsm-host-1] A1 first: quarantined and 16 more"

    play(scene, email_to=["elena@example.bg"], relay=relay.address, emails_per_hour=3)


# by SMS


def test_technicians_are_texted_once(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        watch.note("no answer to AT")
        await watch.later(2 * MINUTE)
        await watch.later(MINUTE)
        assert watch.sms() == [(to, "modemd gsm-host-1: A1 first: no answer to AT") for to in TECHNICIANS]
        watch.note(None)
        await watch.later(2 * MINUTE)
        assert watch.sms()[2:] == [(to, "modemd gsm-host-1: over: A1 first: quarantined") for to in TECHNICIANS]

    play(scene, sms_to=TECHNICIANS)


def test_at_night_nobody_is_texted_before_the_morning(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        watch.note("no answer to AT")
        await watch.later(5 * HOUR)
        assert watch.sms() == []
        await watch.later(HOUR)
        assert len(watch.sms()) == 2

    play(scene, now=NIGHT, sms_to=TECHNICIANS)


def test_what_an_sms_would_wait_for_or_make_worse_is_not_texted(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        for kind in (AlertKind.NO_LINE_READY, AlertKind.QUEUE_OLD, AlertKind.DOUBT_GROWS):
            watch.note("so it is", kind)
        await watch.later(HOUR)
        assert watch.sms() == []

    play(scene, sms_to=TECHNICIANS)


def test_a_flood_of_alerts_is_few_sms(play: Play) -> None:
    async def scene(watch: Watch) -> None:
        for number in range(20):
            watch.note("no answer", subject=f"p{number}")
            await watch.later(2 * MINUTE)
        assert len(watch.sms()) == 3 * len(TECHNICIANS)

    play(scene, sms_to=TECHNICIANS, sms_per_day=3)


# settings, and words for all


class Quiet(NamedTuple):
    setting: str
    at: Sequence[str]  # in Sofia
    is_quiet: bool


@pytest.mark.parametrize(
    "row",
    [
        Quiet("22:00-07:00", ("22:00", "23:59", "00:00", "06:59"), True),
        Quiet("22:00-07:00", ("07:00", "12:00", "21:59"), False),
        Quiet("12:00-14:00", ("12:00", "13:59"), True),
        Quiet("12:00-14:00", ("11:59", "14:00", "00:00"), False),
        Quiet("", ("00:00", "12:00"), False),
    ],
)
def test_quiet_hours_may_go_over_midnight(row: Quiet) -> None:
    settings = Settings.model_validate({"alerts": {"quiet": row.setting}})
    for at in row.at:
        assert settings.alerts.is_quiet(datetime.fromisoformat(f"2026-11-23T{at}+02:00")) is row.is_quiet


def test_for_every_alert_it_is_said_what_to_do() -> None:
    assert set(WHAT_TO_DO) == set(AlertKind)


def test_readme_says_what_every_alert_means_and_what_to_do() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for kind, what in WHAT_TO_DO.items():
        (row,) = re.findall(rf"^\| `{kind}` \| .+ \| (.*) \|$", readme, re.MULTILINE)
        assert row.replace("`", "") == what
