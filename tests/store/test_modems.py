"""A modem is its IMEI wherever it is plugged in, and what a technician wants of it is obeyed once."""

from datetime import timedelta

from sqlalchemy import Connection, select

from modemd.errors import PinWrong
from modemd.messages import Reason
from modemd.store import modems, recovery, wishes
from modemd.store.modems import ModemRow
from modemd.store.recovery import Tried
from modemd.store.schema import WishState, WishVerb, modem, wish
from tests.store.outbox_driver import HOST, NOW

FIRST, SECOND = "350000000000001", "350000000000002"


def save(conn: Connection, port: str, state: str = "ready", imei: str | None = None, **columns: str) -> None:
    modems.save(conn, [ModemRow(HOST, port, None, state, NOW, imei=imei, **columns)], NOW)  # type: ignore[arg-type]


def rows(conn: Connection) -> list[tuple[str, str | None, str]]:
    return [tuple(row) for row in conn.execute(select(modem.c.port, modem.c.imei, modem.c.state).order_by(modem.c.id))]


def only(conn: Connection, name: str) -> int:
    (found,) = modems.named(conn, name)
    return found.id


# identity


def test_a_modem_that_comes_back_under_another_port_name_keeps_its_row(conn: Connection) -> None:
    save(conn, "/dev/ttyUSB0", imei=FIRST, model="E173")
    known = only(conn, FIRST)
    save(conn, "/dev/ttyUSB0", "absent", FIRST)
    save(conn, "/dev/ttyUSB3", "starting")
    wish = wishes.ask(conn, only(conn, "ttyUSB3"), WishVerb.PAUSE, None, "maria", NOW)
    save(conn, "/dev/ttyUSB3", "ready", FIRST)
    assert rows(conn) == [("/dev/ttyUSB3", FIRST, "ready")]
    assert only(conn, FIRST) == known
    assert [each.id for each in wishes.take(conn, HOST, NOW)] == [wish]
    save(conn, "/dev/ttyUSB0", "absent", FIRST)  # the port's last word comes late
    assert rows(conn) == [("/dev/ttyUSB3", FIRST, "ready")]


def test_two_modems_that_change_places_keep_their_rows(conn: Connection) -> None:
    for port, imei in (("a", FIRST), ("b", SECOND)):
        save(conn, port, imei=imei)
        save(conn, port, "absent", imei)
    for port in ("a", "b"):
        save(conn, port, "starting")
    save(conn, "a", "ready", SECOND)
    save(conn, "b", "ready", FIRST)
    assert sorted(rows(conn)) == [("a", SECOND, "ready"), ("b", FIRST, "ready")]


def test_another_modem_at_a_known_port_gets_a_row_of_its_own(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    save(conn, "a", "absent", FIRST)
    save(conn, "a", "starting")
    save(conn, "a", "ready", SECOND)
    assert rows(conn) == [("a", FIRST, "absent"), ("a", SECOND, "ready")]


def test_until_it_tells_a_modem_is_the_one_last_seen_at_its_port(conn: Connection) -> None:
    save(conn, "a", imei=FIRST, model="E173")
    save(conn, "a", "starting")
    (row,) = conn.execute(select(modem)).all()
    assert (row.imei, row.model, row.state) == (FIRST, "E173", "starting")


def test_two_live_modems_with_one_imei_are_told_apart_by_their_ports(conn: Connection) -> None:
    for _ in range(2):
        save(conn, "a", imei=FIRST)
        save(conn, "b", imei=FIRST)
    assert rows(conn) == [("a", FIRST, "ready"), ("b", FIRST, "ready")]


def test_a_modem_answers_to_each_of_its_names(conn: Connection, line_id: int) -> None:
    modems.save(conn, [ModemRow(HOST, "/dev/ttyUSB0", line_id, "ready", NOW, imei=FIRST, place="1-1.2")], NOW)
    for name in (f"gsm{line_id}", "/dev/ttyUSB0", "ttyUSB0", FIRST, "1-1.2"):
        assert [found.port for found in modems.named(conn, name)] == ["/dev/ttyUSB0"], name
    assert modems.named(conn, "gsm9") == []


def test_a_paused_modem_stays_paused_wherever_it_is_plugged_in(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    modems.pause(conn, HOST, "a", True)
    save(conn, "a", "paused", FIRST)
    assert modems.known(conn, HOST, "a", None) == (True, True)
    assert modems.known(conn, HOST, "b", FIRST) == (True, True)
    assert modems.known(conn, HOST, "b", None) == (False, False)
    modems.pause(conn, HOST, "a", False)
    assert modems.known(conn, HOST, "a", FIRST) == (False, True)


def test_calls_are_counted(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    modems.calls_hung_up(conn, [modems.Call(HOST, "a")] * 2, NOW)
    assert conn.scalar(select(modem.c.calls)) == 2


# wishes


def test_a_wish_is_taken_once_and_answered(conn: Connection) -> None:
    save(conn, "a")
    asked = wishes.ask(conn, only(conn, "a"), WishVerb.USSD, "*100#", "maria", NOW)
    assert wishes.take(conn, "another-host", NOW) == []
    (wish,) = wishes.take(conn, HOST, NOW)
    assert (wish.id, wish.port, wish.verb, wish.argument) == (asked, "a", WishVerb.USSD, "*100#")
    assert wishes.take(conn, HOST, NOW) == []
    assert wishes.outcome(conn, asked).state is WishState.TAKEN
    wishes.answer(conn, asked, WishState.DONE, "12,50 EUR", NOW)
    assert wishes.outcome(conn, asked) == wishes.Answer(WishState.DONE, "12,50 EUR")


def test_a_wish_that_waited_for_too_long_is_refused(conn: Connection) -> None:
    save(conn, "a")
    asked = wishes.ask(conn, only(conn, "a"), WishVerb.RESET, None, "maria", NOW)
    assert wishes.take(conn, HOST, NOW + wishes.STALE + timedelta(seconds=1)) == []
    assert wishes.outcome(conn, asked).state is WishState.REFUSED


def test_what_a_daemon_was_at_when_it_ended_is_not_done_twice(conn: Connection) -> None:
    save(conn, "a")
    first, second = (wishes.ask(conn, only(conn, "a"), WishVerb.RESET, None, "maria", NOW) for _ in range(2))
    wishes.take(conn, HOST, NOW)
    wishes.answer(conn, second, WishState.DONE, None, NOW)
    wishes.forsake(conn, HOST, NOW)
    assert wishes.outcome(conn, first).state is WishState.REFUSED
    assert wishes.outcome(conn, second).state is WishState.DONE


# recovery


def test_each_rung_s_success_is_kept_by_model(conn: Connection) -> None:
    recovery.count(
        conn, [Tried("huawei E173", "reopen", False, 3.0), Tried("huawei E173", "soft reset", True, 20.0)], NOW
    )
    recovery.count(conn, [Tried("huawei E173", "reopen", True, 1.0)], NOW)
    assert [(each.rung, each.tries, each.successes, each.seconds) for each in recovery.records(conn)] == [
        ("reopen", 2, 1, 2.0),
        ("soft reset", 1, 1, 20.0),
    ]


def test_a_pin_passes_through_and_stays_nowhere(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    asked = wishes.ask(conn, only(conn, "a"), WishVerb.PIN, "4711", "maria", NOW)
    assert [each.argument for each in wishes.take(conn, HOST, NOW)] == ["4711"]
    assert conn.scalar(select(wish.c.argument).where(wish.c.id == asked)) is None


def test_a_pin_that_waited_for_too_long_is_wiped_too(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    asked = wishes.ask(conn, only(conn, "a"), WishVerb.PIN, "4711", "maria", NOW)
    assert wishes.take(conn, HOST, NOW + timedelta(hours=1)) == []
    assert conn.scalar(select(wish.c.argument).where(wish.c.id == asked)) is None


def test_a_refusal_keeps_its_code_and_facts(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    modem_id = only(conn, "a")
    asked = wishes.ask(conn, modem_id, WishVerb.RESTART, None, "maria", NOW)
    wishes.answer(conn, asked, WishState.REFUSED, Reason.of(PinWrong(port="a")), NOW)
    found = wishes.find(conn, modem_id, asked)
    assert found is not None
    assert found.reason is not None
    assert (found.state, found.reason.code) == (WishState.REFUSED, "PinWrong")
    assert wishes.find(conn, modem_id + 1, asked) is None


def test_old_wishes_are_cleared_away_when_the_daemon_starts(conn: Connection) -> None:
    save(conn, "a", imei=FIRST)
    modem_id = only(conn, "a")
    wishes.ask(conn, modem_id, WishVerb.TRANSCRIPT, None, "maria", NOW)
    wishes.forsake(conn, HOST, NOW + timedelta(days=8))
    assert wishes.of_modem(conn, modem_id) == []
