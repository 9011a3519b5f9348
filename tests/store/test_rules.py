"""What a technician sets for a line wins over the settings, and stays."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from modemd.errors import LineUnknown
from modemd.store import lines, modems, rules
from modemd.store.lines import Sim
from modemd.store.modems import ModemRow
from modemd.store.rules import LineRule
from modemd.store.schema import line
from tests.store.outbox_driver import HOST, NOW, Outbox

ICCID = "8935901000000000001"


def identify(conn: Connection, *, adopt: bool = True, name: str | None = None, iccid: str = ICCID) -> int:
    return lines.identify(conn, Sim(iccid, None), HOST, "/dev/modem00", NOW, adopt=adopt, name=name).id


def test_a_line_nobody_has_touched_follows_the_settings(conn: Connection) -> None:
    line_id = identify(conn)
    assert rules.read(conn) == [LineRule(line_id, f"gsm{line_id}", ICCID, True, True, None, None, None, None)]


def test_what_is_set_is_kept_and_default_is_the_settings_again(conn: Connection) -> None:
    line_id = identify(conn)
    rules.change(conn, line_id, per_day=500, number="+359888000001")
    rules.change(conn, line_id, per_month=0)
    (rule,) = rules.read(conn)
    assert (rule.per_minute, rule.per_day, rule.per_month, rule.number) == (None, 500, 0, "+359888000001")
    rules.change(conn, line_id, prefixes="+35988  +35989")
    assert rules.read(conn)[0].prefixes == ("+35988", "+35989")
    rules.change(conn, line_id, per_day=None)
    assert rules.read(conn)[0].per_day is None


def test_a_technicians_name_wins_over_the_one_in_the_settings(conn: Connection) -> None:
    line_id = identify(conn, name="A1 first")
    rules.rename(conn, line_id, "A1 upstairs")
    assert lines.identify(conn, Sim(ICCID, None), HOST, "p", NOW, adopt=True, name="A1 first").name == "A1 upstairs"
    assert rules.read(conn)[0].name == "A1 upstairs"


def test_adopting_lets_a_waiting_sim_send_and_ends_its_being_new(conn: Connection) -> None:
    line_id = identify(conn, adopt=False)
    assert not rules.read(conn)[0].adopted
    rules.adopt(conn, line_id, NOW)
    rules.adopt(conn, line_id, NOW + timedelta(days=1))
    assert conn.execute(select(line.c.adopted_at, line.c.new)).one() == (NOW, False)
    assert lines.identify(conn, Sim(ICCID, None), HOST, "p", NOW, adopt=False).adopted


def test_a_line_is_found_by_name_iccid_and_number(conn: Connection) -> None:
    line_id = identify(conn, name="A1 first")
    rules.change(conn, line_id, number="+359888000001")
    for who in ("A1 first", ICCID, "+359888000001"):
        assert rules.find(conn, who).line_id == line_id
    with pytest.raises(LineUnknown, match="no such line"):
        rules.find(conn, "A1")
    identify(conn, name="A1 first", iccid="8935901000000000002")
    with pytest.raises(LineUnknown, match="several"):
        rules.find(conn, "A1 first")


def test_the_overview_counts_day_and_month_and_names_the_port(out: Outbox, line_id: int, other_line_id: int) -> None:
    midnight, month = NOW, NOW - timedelta(days=20)
    out.now = NOW - timedelta(days=1)
    out.sent(out.sending(line_id))
    out.now = NOW
    out.sent(out.sending(line_id))
    modems.save(out.conn, [ModemRow(HOST, "/dev/modem00", line_id, "ready", NOW, imei="350000000000001")], NOW)
    first, second = rules.overview(out.conn, midnight, month)
    assert (first.rule.line_id, first.port, first.imei, first.sent_today, first.sent_this_month) == (
        line_id,
        "/dev/modem00",
        "350000000000001",
        1,
        2,
    )
    assert (second.host, second.port, second.sent_this_month) == (None, None, 0)


def test_a_sim_that_waits_says_so_where_its_modem_is_shown(conn: Connection) -> None:
    line_id = identify(conn, adopt=False, name="A1 first")
    modems.save(conn, [ModemRow(HOST, "/dev/modem00", line_id, "ready", NOW)], NOW)
    (shown,) = lines.overview(conn, NOW)
    assert "modemd line adopt A1 first" in (shown.reason or "")
    rules.adopt(conn, line_id, NOW)
    assert lines.overview(conn, NOW)[0].reason is None
