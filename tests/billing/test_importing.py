from datetime import date, timedelta

import pytest
from sqlalchemy import select

from modemd.billing import generations, importing
from modemd.errors import FileHeld, FileRefused
from modemd.store.schema import customer, dataset, open_item
from tests.billing.office import CUSTOMERS, DATA_AT, OPENITEMS, Office, header, hours, item, items, people, person


def test_a_full_file_is_there_with_all_its_cells(office: Office) -> None:
    rows = [
        item(1, "37.91", status="PARTIAL", itn="32Z000000000001M", flags="VD", level="2", amount_total="1234,56"),
        item(2, "0,05", due_date="09.12.2026", cutoff_date="", class_="B"),
    ]
    office.take([header(), f"C;{OPENITEMS}", *rows, "T;2;37,96"])
    with office.engine.connect() as conn:
        first, second = conn.execute(select(open_item).order_by(open_item.c.customer_no)).all()
        data_at = conn.scalar(select(dataset.c.data_at))
    assert (first.customer_no, first.invoice_no, first.itn) == ("300000000001", "0480000001", "32Z000000000001M")
    assert (first.total_cents, first.open_cents, first.status, first.level) == (123456, 3791, "PARTIAL", 2)
    assert (first.invoice_date, first.due_date, first.cutoff_date, first.flags) == (
        date(2026, 11, 10), date(2026, 11, 24), date(2026, 12, 7), "VD",
    )  # fmt: skip
    assert (second.open_cents, second.due_date, second.cutoff_date, second.itn) == (5, date(2026, 12, 9), None, None)
    assert data_at == DATA_AT


def test_customers_are_there_with_all_their_cells(office: Office) -> None:
    rows = [
        person(1, identity="ab" * 32, language="bg-Cyrl"),
        person(2, class_="B", identity="123456789", active="0", itn="32Z000000000001M"),
    ]
    office.take([header("CUSTOMERS"), f"C;{CUSTOMERS}", *rows, "T;2;0,00"])
    with office.engine.connect() as conn:
        first, second = conn.execute(select(customer).order_by(customer.c.customer_no)).all()
    assert (first.identity, first.language, first.active, first.itn) == ("ab" * 32, "bg-Cyrl", True, None)
    assert (second.identity, second.language, second.active, second.itn) == (
        "123456789",
        None,
        False,
        "32Z000000000001M",
    )


def test_full_replaces_everything(office: Office) -> None:
    office.take(items(5))
    office.take(items(4, seq=2, amount="40,00"))
    assert office.current() == {f"{300000000000 + number}": 4000 for number in range(1, 5)}


def test_delta_adds_and_updates(office: Office) -> None:
    office.take(items(3))
    rows = [item(2, "0,00", status="PAID"), item(4, "5,00")]
    later = (DATA_AT + hours(1)).isoformat()
    office.take([header(seq=2, mode="DELTA", at=later), f"C;{OPENITEMS}", *rows, "T;2;5,00"])
    assert office.current() == {"300000000001": 3791, "300000000002": 0, "300000000003": 3791, "300000000004": 500}
    with office.engine.connect() as conn:
        assert conn.scalar(select(dataset.c.data_at)) == DATA_AT + hours(1)


def test_a_delta_may_come_first_and_the_first_full_file_after_it_is_not_held(office: Office) -> None:
    office.take(items(1, mode="DELTA"))
    office.take(items(10, seq=2))
    assert len(office.current()) == 10


def test_rows_that_count_no_more_are_purged(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "_PURGED_AT_ONCE", 3)
    office.take(items(10))
    office.take(items(10, seq=2))
    office.take(items(10, seq=3, mode="DELTA"))
    assert office.stored() == 10


def test_the_columns_may_stand_in_any_order_beside_others(office: Office) -> None:
    names = ["remark", *reversed(CUSTOMERS.split(";"))]
    office.take([header("CUSTOMERS"), ";".join(["C", *names]), "D;x;1;;;H;;300000000001", "T;1;0,00"])
    assert office.current(customer, "CUSTOMERS") == {"300000000001": 1}


def test_windows_1251_is_read_where_the_header_says_so(office: Office) -> None:
    lines = [line.replace("utf-8", "windows-1251").replace("sap", "САП") for line in items(1)]
    assert office.take(office.put(lines, "windows-1251", end="\r\n")).source == "САП"


def test_a_bom_crlf_quotes_and_blank_lines_are_no_fault(office: Office) -> None:
    lines = items(2)
    lines[2] = lines[2].replace("300000000001", '"300000000001"')
    lines.insert(3, "")
    office.take(("\ufeff" + "\r\n".join(lines)).encode())
    assert len(office.current()) == 2


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    path = office.put(items(3))
    office.take(path)
    office.take(items(3, seq=2))
    before = (office.snapshot(), office.noted())
    assert office.take(path).repeated
    assert (office.snapshot(), office.noted()) == before


def test_progress_is_told_row_by_row_to_the_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 4)
    office.take(items(10))
    assert office.progress == [(4, 10), (8, 10), (10, 10)]


def test_the_result_says_what_was_done(office: Office) -> None:
    path = office.put(items(3, seq=7))
    assert str(office.take(path)) == "OPENITEMS FULL 7 of sap: 3 rows imported"
    assert str(office.take(path)) == "OPENITEMS FULL 7 of sap was imported before; nothing to do"


# sequence and age


def test_the_first_file_may_have_any_number(office: Office) -> None:
    assert office.take(items(1, seq=4711)).seq == 4711


@pytest.mark.parametrize("seq", [5, 6, 8, 4])
def test_a_sequence_that_is_not_last_plus_one_is_refused(office: Office, seq: int) -> None:
    office.take(items(3, seq=5))
    office.take(items(3, seq=6))
    before = office.snapshot()
    with pytest.raises(FileRefused, match=rf"its sequence is {seq} and 7 follows the last OPENITEMS of sap"):
        office.take(items(3, seq=seq, amount="30,00"))
    assert office.snapshot() == before


def test_the_sequence_counts_per_type_and_source(office: Office) -> None:
    office.take(items(1, seq=5))
    office.take(people(1, seq=9))
    office.take([line.replace("sap", "other") for line in items(1, seq=70)])
    office.take(items(1, seq=6))
    assert office.noted() == [(5, "imported"), (9, "imported"), (70, "imported"), (6, "imported")]


def test_data_older_than_the_last_is_refused(office: Office) -> None:
    office.take(items(3))
    with pytest.raises(FileRefused, match="older than what is here"):
        office.take(items(3, seq=2, at=DATA_AT - timedelta(seconds=1)))
    office.take(items(3, seq=2, at=DATA_AT))


def test_a_refused_file_does_not_use_its_number_up(office: Office) -> None:
    office.take(items(3))
    with pytest.raises(FileRefused):
        office.take([*items(3, seq=2)[:-1], "T;4;151,64"])
    office.take(items(3, seq=2))
    assert office.noted() == [(1, "imported"), (2, "refused"), (2, "imported")]


# held files


@pytest.mark.parametrize("count", [69, 131])
def test_a_full_file_whose_rows_move_by_more_than_30_percent_is_held(office: Office, count: int) -> None:
    office.take(items(100))
    before = office.snapshot()
    with pytest.raises(FileHeld, match=f"its rows move from 100 to {count}, more than 30%"):
        office.take(items(count, seq=2))
    assert office.snapshot() == before


@pytest.mark.parametrize("amount", ["69,99", "130,01"])
def test_a_full_file_whose_open_sum_moves_by_more_than_30_percent_is_held(office: Office, amount: str) -> None:
    office.take(items(10, amount="100,00"))
    with pytest.raises(FileHeld, match="its open sum moves from 1000,00 to"):
        office.take(items(10, seq=2, amount=amount))


@pytest.mark.parametrize(("count", "amount"), [(70, "130,00"), (130, "100,00")])
def test_a_full_file_that_moves_by_just_30_percent_is_taken(office: Office, count: int, amount: str) -> None:
    office.take(items(100, amount="100,00"))
    office.take(items(count, seq=2, amount=amount))
    assert len(office.current()) == count


def test_a_held_file_does_not_use_its_number_up_and_can_be_approved(office: Office) -> None:
    office.take(items(10))
    held = office.put(items(20, seq=2))
    for _ in range(2):
        with pytest.raises(FileHeld):
            office.take(held)
    office.take(held, approved=True)
    assert len(office.current()) == 20
    assert office.noted() == [(1, "imported"), (2, "approved"), (2, "imported")]


def test_movement_is_measured_from_the_last_full_file_not_from_deltas(office: Office) -> None:
    office.take(items(10))
    office.take(items(100, seq=2, mode="DELTA"))
    office.take(items(11, seq=3))
    assert len(office.current()) == 11


# bad rows


def test_bad_rows_go_to_reject_with_line_number_and_reason(office: Office) -> None:
    lines = items(400)
    lines[7] = item(6, due_date="2026-02-30")
    lines[9] = item(7)
    imported = office.take(lines)
    assert (imported.rows, imported.rejected) == (398, 2)
    assert imported.rejects is not None
    assert imported.rejects.parent == office.reject_folder
    assert imported.rejects.read_text().splitlines() == [
        "line;reason;row",
        "8;due_date: '2026-02-30' is no day of the calendar;" + item(6, due_date="2026-02-30")[2:],
        "10;300000000007 0480000007 stands in the file twice;" + item(7)[2:],
    ]
    assert imported.rejects.stat().st_mode & 0o007 == 0
    assert "300000000006" not in office.current()


def test_half_a_percent_of_bad_rows_is_taken_and_more_is_refused(office: Office) -> None:
    lines = items(200)
    lines[2] = item(1, level="x")
    assert office.take(lines).rejected == 1
    lines = items(399, seq=2, mode="DELTA")
    lines[2], lines[3] = item(1, level="x"), item(2, level="x")
    with pytest.raises(
        FileRefused, match=r"2 of 399 rows are bad, see .*; the first is line 3: level: 'x' is no number"
    ):
        office.take(lines)
    assert [path.name for path in office.reject_folder.iterdir()] == [
        "handover-1.csv.rejected.csv",
        "handover-2.csv.rejected.csv",
    ]


def test_a_rejected_row_never_shows_an_identity(office: Office) -> None:
    """A plain ЕГН where its HMAC belongs would otherwise be kept in reject/."""
    lines = people(400)
    lines[5] = person(4, identity="7501020018")
    lines[6] = person(5, identity="7501020018") + ";surplus"
    imported = office.take(lines)
    assert imported.rejects is not None
    assert imported.rejects.read_text().splitlines() == [
        "line;reason;row",
        "6;identity: is no HMAC-SHA256 in 64 lower-case hex digits;300000000004;;H;;;1",
        "7;it has not as many cells as C names columns",
    ]


def test_rejects_of_an_earlier_try_do_not_stay(office: Office) -> None:
    path = office.put(items(1))
    office.reject_folder.mkdir()
    (office.reject_folder / f"{path.name}.rejected.csv").write_text("old")
    office.take(path)
    assert list(office.reject_folder.iterdir()) == []


def test_a_reject_folder_that_cannot_be_written_refuses_the_file(office: Office) -> None:
    office.reject_folder.write_text("in the way")
    lines = items(200)
    lines[2] = item(1, level="x")
    with pytest.raises(FileRefused, match="its bad rows cannot be written"):
        office.take(lines)
    assert office.current() == {}


def test_the_sum_of_a_row_whose_amount_cannot_be_read_is_not_held_against_the_trailer(office: Office) -> None:
    lines = items(200)
    lines[2] = item(1, "37.9l")
    assert office.take(lines).rejected == 1
    lines = items(200, seq=2)
    lines[2], lines[-1] = item(1, "37.9l"), "T;200;7544,08"
    with pytest.raises(FileRefused, match="the trailer says 7544,08 and the rows sum up to 7544,09"):
        office.take(lines)
