from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, update

from modemd.service import bill_check
from modemd.store.schema import dataset
from tests.service.desk import Desk

DUE, PAST = date(2026, 12, 9), date(2026, 11, 22)
PHONE, CUSTOMER, OTHER = "+359888000101", "300000000001", "300000000002"
NOT_REGISTERED = (
    "Elektrohold: tozi nomer ne e registriran za SMS uslugi. Registratsia: portal ili targovski tsentar. Info 070010010"
)


def test_the_bill_of_one_site(desk: Desk, billed: Callable[..., str]) -> None:
    assert desk.ask(billed((3791, DUE)), "smetka") == [
        "Elektrohold: smetka za klient ***0001: 37,91 EUR, srok 09.12.2026. Danni kam 23.11.2026 10:00. Info 070010010"
    ]


def test_a_bill_past_its_date_is_called_overdue(desk: Desk, billed: Callable[..., str]) -> None:
    assert desk.ask(billed((11240, PAST)), "smetka") == [
        "Elektrohold: smetka za klient ***0001: 112,40 EUR, srok 22.11.2026 (prosrochena)."
        " Danni kam 23.11.2026 10:00. Info 070010010"
    ]


def test_nothing_due(desk: Desk, billed: Callable[..., str]) -> None:
    assert desk.ask(billed((0, DUE)), "smetka") == [
        "Elektrohold: klient ***0001 nyama zadalzhenia. Danni kam 23.11.2026 10:00. Info 070010010"
    ]


def test_several_sites_and_their_total(desk: Desk, billed: Callable[..., str]) -> None:
    assert desk.ask(billed((3791, DUE), (11240, PAST), (0, DUE)), "smetka") == [
        "Elektrohold, danni kam 23.11.2026 10:00: ***0001 37,91 EUR do 09.12; ***0002 112,40 EUR prosrocheni;"
        " ***0003 0,00 EUR. Obshto 150,31 EUR. Info 070010010"
    ]


@pytest.mark.parametrize(
    ("now", "overdue"),
    [(datetime(2026, 12, 9, 21, 59, tzinfo=UTC), False), (datetime(2026, 12, 9, 22, 0, tzinfo=UTC), True)],
)
def test_a_bill_is_overdue_from_the_next_midnight_in_sofia(
    desk: Desk, billed: Callable[..., str], now: datetime, overdue: bool
) -> None:
    phone = billed((3791, DUE))
    desk.now = now
    assert ("prosrochena" in desk.ask(phone, "smetka")[0]) is overdue


def test_the_time_of_the_data_is_told_in_summer_time_too(desk: Desk, billed: Callable[..., str]) -> None:
    phone = billed((3791, DUE))
    desk.conn.execute(update(dataset).values(data_at=datetime(2026, 7, 1, 5, 30, tzinfo=UTC)))
    assert "Danni kam 01.07.2026 08:30" in desk.ask(phone, "smetka")[0]


def test_several_open_invoices_of_a_site_are_one_sum_with_the_earliest_date(desk: Desk) -> None:
    desk.customers(CUSTOMER)
    for cents, due in ((1000, date(2026, 12, 20)), (2550, DUE)):
        desk.owes(CUSTOMER, cents, due)
    desk.register(PHONE, CUSTOMER)
    assert "35,50 EUR, srok 09.12.2026." in desk.ask(PHONE, "smetka")[0]


def test_paid_and_cancelled_invoices_and_other_generations_do_not_count(desk: Desk) -> None:
    desk.customers(CUSTOMER, OTHER)
    desk.owes(CUSTOMER, 100, DUE, status="PARTIAL")
    for status in ("PAID", "CANCELLED"):
        desk.owes(CUSTOMER, 50000, PAST, status=status)
    desk.owes(CUSTOMER, 70000, PAST, generation=99)  # being loaded
    desk.owes(CUSTOMER, 0, PAST)
    desk.owes(OTHER, 80000, PAST)
    desk.register(PHONE, CUSTOMER)
    assert "1,00 EUR, srok 09.12.2026." in desk.ask(PHONE, "smetka")[0]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("bg-Cyrl", "Електрохолд: сметка за клиент ***0001: 37,91 EUR, срок 09.12.2026. Данни към 23.11.2026 10:00."
         " Инфо 070010010"),
        ("en", "Elektrohold: bill of customer ***0001: 37,91 EUR, due 09.12.2026. Data as of 23.11.2026 10:00."
         " Info 070010010"),
    ],
)  # fmt: skip
def test_the_language_of_the_phone(desk: Desk, billed: Callable[..., str], language: str, text: str) -> None:
    assert desk.ask(billed((3791, DUE), language=language), "smetka") == [text]


def test_a_customer_number_of_its_own_is_answered_alone(desk: Desk, billed: Callable[..., str]) -> None:
    phone = billed((3791, DUE), (11240, PAST))
    assert "klient ***0002: 112,40 EUR" in desk.ask(phone, f"smetka {OTHER}")[0]


@pytest.mark.parametrize("asked", [OTHER, f"{CUSTOMER} {OTHER}", "999999999999"])
def test_another_ones_customer_number_gets_what_a_stranger_gets(
    desk: Desk, billed: Callable[..., str], asked: str
) -> None:
    phone = billed((3791, DUE))
    desk.customers(OTHER)
    desk.owes(OTHER, 11240, PAST)
    assert desk.ask(phone, f"smetka {asked}") == desk.ask("+359888000199", "smetka") == [NOT_REGISTERED]


def test_a_phone_without_bill_check_gets_what_a_stranger_gets(desk: Desk) -> None:
    desk.customers(CUSTOMER)
    desk.no_items()
    desk.register(PHONE, CUSTOMER, services="reminder,outage")
    assert desk.ask(PHONE, "smetka") == [NOT_REGISTERED]


def test_before_the_first_open_items_the_customer_is_told_so(desk: Desk) -> None:
    desk.customers(CUSTOMER)
    desk.register(PHONE, CUSTOMER)
    assert desk.ask(PHONE, "smetka") == [
        "Elektrohold: v momenta nyamame danni za smetki. Opitayte po-kasno. Info 070010010"
    ]


def test_a_bill_is_read_in_one_statement(desk: Desk, billed: Callable[..., str]) -> None:
    """Between two, PostgreSQL could show the purge of data that the first one found current: nothing to pay."""
    phone = billed((3791, DUE), (11240, PAST))
    statements: list[str] = []

    def count(conn: object, cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(desk.conn, "before_cursor_execute", count)
    assert len(bill_check.bills_of(desk.conn, phone)) == 2
    assert len(statements) == 1
