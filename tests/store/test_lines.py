"""A line is its SIM wherever it is; a PIN is tried once; a host's name is one daemon's."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from modemd.errors import VerbFailed
from modemd.messages import ReceivedSms
from modemd.store import inbox, lines, modems
from modemd.store.lines import LineRow, Sim
from modemd.store.modems import ModemRow
from modemd.store.schema import line, modem, pin_attempt
from tests.store.outbox_driver import HOST, NOW, Outbox

ICCID = "8935901000000000001"
IMSI = "284010000000001"
PORT = "/dev/modem00"


def identify(
    conn: Connection,
    iccid: str | None = ICCID,
    imsi: str | None = IMSI,
    *,
    port: str = PORT,
    adopt: bool = True,
    name: str | None = None,
) -> LineRow:
    return lines.identify(conn, Sim(iccid, imsi), HOST, port, NOW, adopt=adopt, name=name)


def test_a_sim_seen_for_the_first_time_is_adopted_and_marked_new(conn: Connection) -> None:
    row = identify(conn)
    assert row.adopted
    stored = conn.execute(select(line)).one()
    assert (stored.identity, stored.iccid, stored.imsi, stored.new, stored.adopted_at) == (
        f"iccid:{ICCID}",
        ICCID,
        IMSI,
        True,
        NOW,
    )
    assert row.name == f"gsm{row.id}"


def test_without_adoption_it_waits_for_a_technician(conn: Connection) -> None:
    assert not identify(conn, adopt=False).adopted
    assert not identify(conn, adopt=True).adopted  # what a person has to decide, a change of settings does not


def test_a_sim_in_another_modem_is_the_same_line(conn: Connection) -> None:
    assert identify(conn).id == identify(conn, port="/dev/modem05").id
    assert identify(conn, "8935901000000000002", "284010000000002").id != identify(conn).id


@pytest.mark.parametrize(("first", "then"), [((None, IMSI), (ICCID, IMSI)), ((ICCID, None), (ICCID, IMSI))])
def test_a_sim_that_tells_more_than_before_is_the_same_line(
    conn: Connection, first: tuple[str | None, str | None], then: tuple[str | None, str | None]
) -> None:
    known = identify(conn, *first)
    assert identify(conn, *then).id == known.id
    assert conn.execute(select(line.c.iccid, line.c.imsi)).one() == (ICCID, IMSI)
    assert identify(conn, None, IMSI).id == known.id


def test_a_mute_sim_is_known_by_its_place(conn: Connection) -> None:
    first = identify(conn, None, None)
    assert identify(conn, None, None).id == first.id
    assert identify(conn, None, None, port="/dev/modem01").id != first.id


def test_a_name_from_the_settings_is_taken_and_kept(conn: Connection) -> None:
    assert identify(conn, name="A1 first").name == "A1 first"
    assert identify(conn).name == "A1 first"
    assert identify(conn, name="A1 second").name == "A1 second"


def modem_row(line_id: int | None, port: str = PORT, **fields: object) -> ModemRow:
    given = {"host": HOST, "port": port, "line_id": line_id, "state": "ready", "state_since": NOW}
    return ModemRow(**{**given, **fields})  # type: ignore[arg-type]


def test_a_modem_is_one_row_that_is_written_again(conn: Connection, line_id: int) -> None:
    rows = [modem_row(None, state="starting"), modem_row(line_id, operator="A1 BG"), modem_row(None, "/dev/modem01")]
    assert modems.save(conn, rows, NOW) == [None] * 3
    modems.save(conn, [modem_row(line_id, state="silent", reason="no answer to AT")], NOW)
    stored = conn.execute(select(modem).order_by(modem.c.port)).all()
    assert [(row.port, row.state, row.reason, row.operator) for row in stored] == [
        (PORT, "silent", "no answer to AT", None),
        ("/dev/modem01", "ready", None, None),
    ]


def test_the_port_that_last_held_a_sim_is_known(conn: Connection) -> None:
    row = identify(conn)
    modems.save(conn, [modem_row(row.id, "/dev/modem03")], NOW)
    modems.save(conn, [modem_row(row.id, "/dev/modem04")], NOW + timedelta(seconds=1))
    assert modems.port_of_sim(conn, HOST, ICCID, None) == "/dev/modem04"
    assert modems.port_of_sim(conn, HOST, None, IMSI) == "/dev/modem04"
    assert modems.port_of_sim(conn, "gsm-host-2", ICCID, IMSI) is None
    assert modems.port_of_sim(conn, HOST, None, None) is None


def test_rule_7_a_pin_is_tried_once_for_each_sim(conn: Connection) -> None:
    pin = lines.hash_pin(ICCID, "1234")
    assert lines.pin_may_be_tried(conn, ICCID, pin, NOW)
    assert not lines.pin_may_be_tried(conn, ICCID, pin, NOW + timedelta(days=365))
    assert lines.pin_may_be_tried(conn, ICCID, lines.hash_pin(ICCID, "4321"), NOW)
    assert lines.pin_may_be_tried(conn, "8935901000000000002", lines.hash_pin("8935901000000000002", "1234"), NOW)


def test_rule_7_the_database_does_not_hold_the_pin(conn: Connection) -> None:
    lines.pin_may_be_tried(conn, ICCID, lines.hash_pin(ICCID, "1234"), NOW)
    assert "1234" not in str(conn.execute(select(pin_attempt.c.pin_hash)).scalar_one())
    assert lines.hash_pin(ICCID, "1234") != lines.hash_pin("8935901000000000002", "1234")


def test_at_a_host_s_start_and_end_its_modems_are_absent(conn: Connection, line_id: int) -> None:
    lines.host_started(conn, HOST, "first", 100, NOW)
    modems.save(conn, [modem_row(line_id)], NOW)
    lines.host_started(conn, HOST, "second", 101, NOW)
    assert conn.scalar(select(modem.c.state)) == "absent"
    modems.save(conn, [modem_row(line_id)], NOW)
    lines.host_stopped(conn, HOST, "second", NOW)
    assert conn.scalar(select(modem.c.state)) == "absent"


def test_a_host_whose_name_another_daemon_took_is_told(conn: Connection) -> None:
    lines.host_started(conn, HOST, "first", 100, NOW)
    lines.host_seen(conn, HOST, "first", NOW)
    lines.host_started(conn, HOST, "second", 101, NOW)
    with pytest.raises(VerbFailed, match="another daemon"):
        lines.host_seen(conn, HOST, "first", NOW)


def test_the_overview_counts_what_a_line_sent_and_received_today(out: Outbox, line_id: int, other_line_id: int) -> None:
    conn, midnight = out.conn, NOW
    modems.save(conn, [modem_row(line_id, imei="350000000000001", signal_dbm=-71)], NOW)
    modems.save(conn, [modem_row(other_line_id, "/dev/modem01"), modem_row(None, "/dev/modem02")], NOW)
    out.now = NOW - timedelta(seconds=1)
    out.sent(out.sending(line_id))
    out.now = NOW
    for _ in range(2):
        out.sent(out.sending(line_id))
    out.doubt(out.sending(line_id))
    sms = ReceivedSms("0001", "SM", 1, NOW, "+359888000001", True, "smetka", smsc_time=NOW)
    inbox.record(conn, line_id, [sms], NOW)
    first, second, third = lines.overview(conn, midnight)
    assert (first.port, first.sent_today, first.received_today, first.signal_dbm, first.imei) == (
        PORT,
        2,
        1,
        -71,
        "350000000000001",
    )
    assert (first.name, first.line_new, first.iccid) == (f"gsm{line_id}", True, "8935901000000000000")
    assert (second.sent_today, second.received_today) == (0, 0)
    assert (third.name, third.line_id, third.line_new) == ("/dev/modem02", None, False)


def test_an_empty_bank_has_an_empty_overview(conn: Connection) -> None:
    assert lines.overview(conn, NOW) == []


def test_quotas_count_what_left_or_may_have_left(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id))
    out.now += timedelta(minutes=1)
    out.doubt(out.sending(line_id))
    out.refused(out.sending(line_id))
    day, later = NOW + timedelta(seconds=1), NOW + timedelta(minutes=2)
    assert lines.used(out.conn, line_id, day, NOW, NOW) == lines.Used(1, 2, [NOW + timedelta(minutes=1)])
    assert lines.used(out.conn, line_id, later, later, later) == lines.Used(0, 0, [])


def test_one_hash_for_one_pin(conn: Connection) -> None:
    for _ in range(2):
        lines.pin_may_be_tried(conn, ICCID, lines.hash_pin(ICCID, "1234"), NOW)
    assert conn.scalar(select(func.count()).select_from(pin_attempt)) == 1
