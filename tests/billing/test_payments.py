"""Payments reduce and close invoices, whichever file comes first."""

import itertools

import pytest

from modemd.errors import FileRefused
from modemd.store.schema import dataset, import_file, open_item, payment
from tests.billing.office import DATA_AT, OPENITEMS, Office, header, hours, item, items, paid, payments, total

LATER = DATA_AT + hours(1)


def test_a_payment_closes_an_invoice(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1), at=LATER))
    assert [office.left(number) for number in (1, 2, 3)] == [(0, "PAID"), (3791, "OPEN"), (3791, "OPEN")]


def test_part_payments_reduce_it_until_it_is_closed(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1, "7,91"), paid(1, "10,00"), at=LATER))
    assert office.left() == (2000, "PARTIAL")
    office.take(payments(paid(1, "20,00"), seq=2, at=LATER))
    assert office.left() == (0, "PAID")


def test_what_is_paid_too_much_leaves_nothing(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1, "99,00"), at=LATER))
    assert office.left() == (0, "PAID")


def test_a_payment_that_open_items_of_a_later_moment_hold_already_is_not_taken_off_again(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1, "7,91"), at=LATER))
    office.take(items(3, seq=2, amount="30,00", at=LATER + hours(1)))
    assert office.left() == (3000, "OPEN")
    office.take(payments(paid(2, "7,91"), seq=2, at=LATER))  # told late, of a moment before
    assert office.left(2) == (3000, "OPEN")


def test_open_items_of_an_earlier_moment_that_come_late_keep_the_payment(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1), at=LATER + hours(1)))
    office.take(items(3, seq=2, at=LATER))
    assert office.left() == (0, "PAID")
    office.take([header(seq=3, mode="DELTA", at=LATER.isoformat()), f"C;{OPENITEMS}", item(1), total(1)])
    assert office.left() == (0, "PAID")


def test_a_delta_without_the_invoice_leaves_its_payment_where_it_is(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1), at=LATER))
    of_another = [header(seq=2, mode="DELTA", at=(LATER + hours(1)).isoformat()), f"C;{OPENITEMS}", item(2), total(1)]
    office.take(of_another)
    office.take(payments(paid(3, "1,00"), seq=2, at=LATER + hours(2)))
    assert office.left(1) == (0, "PAID")


def test_the_same_payment_told_twice_counts_once(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1, "7,91"), at=LATER))
    office.take(payments(paid(1, "7,91"), paid(2), seq=2, at=LATER + hours(1)))
    assert office.left(1) == (3000, "PARTIAL")
    office.take(items(3, seq=2, amount="30,00", at=LATER + hours(1)))
    office.take(payments(paid(1, "7,91"), paid(2), seq=3, at=LATER + hours(2)))
    assert office.left(1) == (3000, "OPEN")


def test_a_full_file_takes_back_the_payments_that_it_does_not_hold(office: Office) -> None:
    office.take(items(3))
    office.take(payments(paid(1), paid(2), at=LATER))
    office.take(payments(paid(2), paid(3), seq=2, mode="FULL", at=LATER))
    assert [office.left(number) for number in (1, 2, 3)] == [(3791, "OPEN"), (0, "PAID"), (0, "PAID")]


def test_a_cancelled_invoice_stays_so(office: Office) -> None:
    office.take([header(), f"C;{OPENITEMS}", item(1, status="CANCELLED"), total(1)])
    office.take(payments(paid(1), at=LATER))
    assert office.left() == (3791, "CANCELLED")


def test_a_payment_of_an_unknown_invoice_is_shown_and_taken_off_when_the_invoice_comes(office: Office) -> None:
    office.take(items(3))
    taken = office.take(payments(paid(1), paid(4), paid(2, invoice_no="0480000003"), at=LATER))
    assert (taken.rows, taken.rejected, taken.aside) == (3, 0, 2)
    assert taken.rejects is not None
    assert taken.rejects.read_text().splitlines()[1:] == [
        "4;invoice 0480000004 of customer 300000000004 is not among the open items (kept);" + paid(4)[2:],
        "5;invoice 0480000003 of customer 300000000002 is not among the open items (kept);"
        + paid(2, invoice_no="0480000003")[2:],
    ]
    assert "2 for invoices that are not here (see " in str(taken)
    office.take(items(4, seq=2, mode="DELTA", at=LATER))
    assert office.left(4) == (0, "PAID")


def test_bad_payments_are_rejected_and_too_many_refuse_the_file(office: Office) -> None:
    office.take(items(3))
    with pytest.raises(FileRefused, match=r"1 of 2 rows are bad.*stands in the file twice"):
        office.take(payments(paid(1), paid(1), at=LATER))
    assert office.left() == (3791, "OPEN")


def test_in_whatever_order_files_come_the_result_is_the_same(office: Office) -> None:
    first = items(3)
    steps = {
        "items": [line.replace(";sap;", ";a;") for line in items(3, amount="30,00", at=DATA_AT + hours(2))],
        "early": payments(paid(1, "5,00"), at=DATA_AT + hours(1)),
        "late": [line.replace(";sap;", ";b;") for line in payments(paid(2, "5,00"), at=DATA_AT + hours(3))],
    }
    results = set()
    for seq, order in enumerate(itertools.permutations(steps)):
        if order.index("early") > order.index("late"):
            continue  # data older than the last is refused
        clear(office)
        office.take([line.replace(";sap;1;", f";{seq};1;") for line in first])
        for name in order:
            office.take(steps[name])
        results.add(tuple(office.left(number) for number in (1, 2, 3)))
    assert results == {((3000, "OPEN"), (2500, "PARTIAL"), (3000, "OPEN"))}


def clear(office: Office) -> None:
    with office.engine.begin() as conn:
        for table in (dataset, open_item, payment, import_file):
            conn.execute(table.delete())


@pytest.mark.parametrize("amount", ["10,00", "37,91"])
def test_a_question_in_the_middle_gets_the_old_answer(office: Office, amount: str) -> None:
    office.take(items(3))
    seen: list[tuple[int, str]] = []
    office.on_progress = lambda: seen.append(office.left())
    office.take(payments(paid(1, amount), paid(2, amount), at=LATER))
    assert seen == [(3791, "OPEN")]
    assert office.left() != (3791, "OPEN")
