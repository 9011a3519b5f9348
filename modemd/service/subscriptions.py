"""Which phone gets what: registration and STOP."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import Connection, select

from modemd.config import Language
from modemd.errors import RegistrationRefused
from modemd.service import phones
from modemd.store.schema import customer, dataset, phone, phone_customer

SERVICES = ("bill", "reminder", "outage")
MOST_CUSTOMERS = 5  # to one phone
CONFIRMED_FOR = timedelta(days=1)  # a second STOP within this time gets no second confirmation


def register(
    conn: Connection,
    written: str,
    customer_numbers: Sequence[str],
    services: Collection[str],
    language: str,
    now: datetime,
) -> str:
    """Tie a phone to customers, active at once with just these services, and return its number in E.164.

    A phone that is registered keeps its customers and gets these besides. Choosing reminders or outage notices ends an
    earlier STOP. Raises NotABulgarianMobile, or RegistrationRefused for an unknown service or language, a customer who
    is not in the current data or not active there, and more than 5 customers; then nothing has changed.
    """
    number = phones.normalise(written)
    _check_choices(services, language)
    exists = conn.scalar(select(phone.c.number).where(phone.c.number == number).with_for_update()) is not None
    new = _new_customers(conn, number, customer_numbers)
    chosen = {"language": language, **{service: service in services for service in SERVICES}}
    if not exists:
        conn.execute(phone.insert(), {"number": number, "created_at": now, **chosen})
    else:
        again = {"stopped_at": None} if {"reminder", "outage"} & set(services) else {}
        conn.execute(phone.update().where(phone.c.number == number).values(**chosen, **again))
    if new:
        ties = [{"phone": number, "customer_no": customer_no, "created_at": now} for customer_no in new]
        conn.execute(phone_customer.insert(), ties)
    return number


def stop(conn: Connection, number: str, language: Language, now: datetime) -> bool:
    """End reminders and outage notices for a phone, registered or not; its bill check stays as it was.

    A phone never seen before is kept with no service and this language, so that its STOP is remembered. Returns whether
    the STOP is to be confirmed: not when it was confirmed less than a day ago.
    """
    row = conn.execute(select(phone.c.stopped_at).where(phone.c.number == number).with_for_update()).one_or_none()
    if row is None:
        nothing = dict.fromkeys(SERVICES, False)
        conn.execute(
            phone.insert(), {"number": number, "language": language, "created_at": now, "stopped_at": now, **nothing}
        )
        return True
    if row.stopped_at is not None and now - row.stopped_at < CONFIRMED_FOR:
        return False
    conn.execute(phone.update().where(phone.c.number == number).values(reminder=False, outage=False, stopped_at=now))
    return True


def language_of(conn: Connection, number: str, default: Language) -> Language:
    """The language that a phone has chosen, or the default for one that is not registered."""
    chosen: Language | None = conn.scalar(select(phone.c.language).where(phone.c.number == number))
    return chosen or default


def _check_choices(services: Collection[str], language: str) -> None:
    unknown = [service for service in services if service not in SERVICES]
    if unknown or not services:
        what = f"{unknown[0]!r} is no service" if unknown else "no service was chosen"
        raise RegistrationRefused(reason=f"{what}; choose any of {', '.join(SERVICES)}")
    if language not in get_args(Language):
        raise RegistrationRefused(reason=f"{language!r} is no language; choose one of {', '.join(get_args(Language))}")


def _new_customers(conn: Connection, number: str, customer_numbers: Sequence[str]) -> list[str]:
    """Those of the customer numbers that are not tied to the phone yet, all checked."""
    if not customer_numbers:
        raise RegistrationRefused(reason="no customer number was given")
    for customer_no in customer_numbers:
        _check_customer(conn, customer_no)
    tied = set(conn.scalars(select(phone_customer.c.customer_no).where(phone_customer.c.phone == number)))
    new = [customer_no for customer_no in dict.fromkeys(customer_numbers) if customer_no not in tied]
    if new and len(tied) + len(new) > MOST_CUSTOMERS:
        count = len(tied) + len(new)
        raise RegistrationRefused(reason=f"a phone may have {MOST_CUSTOMERS} customer numbers; this would be {count}")
    return new


def _check_customer(conn: Connection, customer_no: str) -> None:
    current = select(dataset.c.generation).where(dataset.c.type == "CUSTOMERS").scalar_subquery()
    active = conn.scalar(
        select(customer.c.active).where(customer.c.generation == current, customer.c.customer_no == customer_no)
    )
    if active is None:
        reason = f"customer {customer_no} is not in the customers that billing has handed over"
        raise RegistrationRefused(reason=reason)
    if not active:
        raise RegistrationRefused(reason=f"customer {customer_no} is not active any more")
