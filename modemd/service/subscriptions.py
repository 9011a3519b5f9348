"""Which phone gets what: registration, its end, STOP and the mark of a wrong number, all in the consent history."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, select

from modemd import audit, masks
from modemd.config import SOFIA, Language
from modemd.errors import Because, NotRegistered, PhoneIsFull, RegistrationRefused, WrongNumber
from modemd.service import consent, phones
from modemd.service.consent import CUSTOMER, NOTICES, SERVICES, Given, Shown
from modemd.store.dialects import one_at_a_time
from modemd.store.schema import Channel, customer, dataset, phone, phone_customer

Service = Literal["bill", "reminder", "outage"]

MOST_CUSTOMERS = 5  # to one phone
CONFIRMED_FOR = timedelta(days=1)  # a second STOP within this time gets no second confirmation
_BY_STAFF = (Channel.CENTRE, Channel.COMMAND)
_CUSTOMERS = dataset.alias("customers")  # a query may have another dataset beside this one
_IS_ACTIVE = and_(_CUSTOMERS.c.type == "CUSTOMERS", customer.c.generation == _CUSTOMERS.c.generation, customer.c.active)
_OF_NUMBER = phone.c.number == bindparam("of_number")
_LANGUAGE = select(phone.c.language).where(_OF_NUMBER)
_WRONG_NUMBER = select(phone.c.number).where(_OF_NUMBER, phone.c.wrong_number_at.is_not(None))


# who receives what: the one place that says so


def receives(service: Service) -> ColumnElement[bool]:
    """The condition on `phone` under which it gets a service: chosen, not stopped (bills are), no wrong number."""
    condition = and_(phone.c[service], phone.c.wrong_number_at.is_(None))
    return condition if service not in NOTICES else and_(condition, phone.c.stopped_at.is_(None))


def active_customers() -> Select[Any]:
    """(customer_no, itn, language) of everyone whom billing calls active: nobody else gets anything.

    A customer that a later CUSTOMERS file leaves out or sets inactive gets nothing, and again what was agreed to when a
    file brings him back.
    """
    return select(customer.c.customer_no, customer.c.itn, customer.c.language).where(_IS_ACTIVE)


def is_active(customer_no: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that the customer in this column is one of `active_customers`."""
    return exists().where(_IS_ACTIVE, customer.c.customer_no == customer_no)


def language_of(conn: Connection, number: str, default: Language) -> Language:
    """The language that a phone has chosen, or the default for one that is not registered."""
    chosen: Language | None = conn.scalar(_LANGUAGE, {"of_number": number})
    return chosen or default


def is_wrong_number(conn: Connection, number: str) -> bool:
    """Whether a person has marked this phone: nothing goes there."""
    return conn.scalar(_WRONG_NUMBER, {"of_number": number}) is not None


# what changes it


def subscribe(
    conn: Connection,
    written: str,
    customer_numbers: Sequence[str],
    services: Collection[str],
    language: str,
    channel: Channel,
    who: str,
    shown: Shown | None,
    now: datetime,
) -> str:
    """Tie a phone to customers, active at once with just these services, and return its number in E.164.

    A phone that is registered keeps its customers and gets these besides; the services are those of the phone, for all
    of them. Choosing reminders or outage notices ends an earlier STOP. `shown` is the text that was agreed to. Raises
    NotABulgarianMobile, WrongNumber for a phone that a person has marked, or RegistrationRefused for an unknown service
    or language, a customer who is not in the current data or not active there, and more than 5 customers; then nothing
    has changed.
    """
    number, found, tied, new = _checked(conn, written, customer_numbers, services, language)
    consent.give(conn, number, [*tied, *new], services, Given(channel, who, now, shown))
    chosen = {"language": language, **{service: service in services for service in SERVICES}}
    if found is None:
        conn.execute(phone.insert(), {"number": number, "created_at": now, **chosen})
    else:
        again = {"stopped_at": None} if set(NOTICES) & set(services) else {}
        conn.execute(phone.update().where(phone.c.number == number).values(**chosen, **again))
    if new:
        ties = [{"phone": number, "customer_no": customer_no, "created_at": now} for customer_no in new]
        conn.execute(phone_customer.insert(), ties)
    if channel in _BY_STAFF:
        what = f"{', '.join(services)} for {', '.join(customer_numbers)}"
        audit.note(conn, who, "phone.register", number, what, now)
    return number


def check(
    conn: Connection, written: str, customer_numbers: Sequence[str], services: Collection[str], language: str
) -> str:
    """Whether `subscribe` would do it; returns the phone in E.164 and changes nothing. Raises what that raises."""
    return _checked(conn, written, customer_numbers, services, language)[0]


def _checked(
    conn: Connection, written: str, customer_numbers: Sequence[str], services: Collection[str], language: str
) -> tuple[str, Any, list[str], list[str]]:
    """(number, its locked row if any, the customers that it has, those that are new to it)."""
    number = phones.normalise(written)
    _check_choices(services, language)
    found = _lock(conn, number)
    if found is not None and found.wrong_number_at is not None:
        day = f"{found.wrong_number_at.astimezone(SOFIA):%d.%m.%Y}"
        raise WrongNumber(number=masks.phone(number), day=day)
    tied = _customers_of(conn, number)
    return number, found, tied, _new_customers(conn, tied, customer_numbers)


def register(
    conn: Connection,
    written: str,
    customer_numbers: Sequence[str],
    services: Collection[str],
    language: str,
    now: datetime,
    who: str = "command",
) -> str:
    """`subscribe` as `modemd register` does: nothing was shown to anybody."""
    return subscribe(conn, written, customer_numbers, services, language, Channel.COMMAND, who, None, now)


def end(
    conn: Connection,
    written: str,
    channel: Channel,
    who: str,
    now: datetime,
    *,
    customer_numbers: Collection[str] | None = None,
    services: Collection[str] | None = None,
) -> str:
    """End services of a phone, or its registration for some customers; for all of them if neither is named.

    Returns the number in E.164. Raises NotABulgarianMobile, RegistrationRefused for an unknown service, and
    NotRegistered for a phone that is not registered (for one of these customers); then nothing has changed.
    """
    number = phones.normalise(written)
    _lock(conn, number)
    tied = _customers_of(conn, number)
    strangers = sorted(set(customer_numbers or ()) - set(tied))
    if not tied or strangers:
        masked = masks.phone(number)
        if not tied:
            raise NotRegistered(reason=Because("{number} is not registered", number=masked))
        other = Because("{number} is not registered for customer {customer}", number=masked, customer=strangers[0])
        raise NotRegistered(reason=other)
    how = Given(channel, who, now)
    if services is not None:
        _check_services(services)
        _end_services(conn, number, services, how)
    else:
        _untie(conn, number, tied if customer_numbers is None else customer_numbers, how)
    if channel in _BY_STAFF:
        what = ", ".join(services or customer_numbers or ("everything",))
        audit.note(conn, who, "phone.end", number, what, now)
    return number


def stop(conn: Connection, number: str, language: Language, now: datetime) -> bool:
    """End reminders and outage notices for a phone, registered or not; its bill check stays as it was.

    A phone never seen before is kept with no service and this language, so that its STOP is remembered. Returns whether
    the STOP is to be confirmed: not when it was confirmed less than a day ago.
    """
    row = _lock(conn, number)
    if row is not None and row.stopped_at is not None and now - row.stopped_at < CONFIRMED_FOR:
        return False
    how = Given(Channel.STOP, CUSTOMER, now)
    if row is not None and (row.reminder or row.outage):
        _end_services(conn, number, NOTICES, how)
    else:
        consent.object_(conn, number, how)
    _keep(conn, number, row, language, now, stopped_at=now)
    return True


def mark_wrong_number(conn: Connection, written: str, language: Language, who: str, now: datetime) -> str:
    """A person says that this phone is not its customer's: it loses its customers and nothing goes there any more.

    Works for any phone, registered or not; returns its number. Lasts until a person lifts it. Raises NotAPhone.
    """
    number = phones.recipient(written)
    row = _lock(conn, number)
    how, tied = Given(Channel.WRONG_NUMBER, who, now), _customers_of(conn, number)
    if tied:
        _untie(conn, number, tied, how)
    elif row is None or row.wrong_number_at is None:
        consent.object_(conn, number, how)
    _keep(conn, number, row, language, now, **dict.fromkeys(SERVICES, False), wrong_number_at=now)
    audit.note(conn, who, "phone.wrong", number, "", now)
    return number


def lift_wrong_number(conn: Connection, written: str, who: str, now: datetime) -> str:
    """The phone may be registered again, and gets answers. Raises NotAPhone, and NotRegistered if it has no mark."""
    number = phones.recipient(written)
    marked = phone.update().where(phone.c.number == number, phone.c.wrong_number_at.is_not(None))
    if conn.execute(marked.values(wrong_number_at=None)).rowcount != 1:
        raise NotRegistered(reason=Because("{number} is not marked as a wrong number", number=masks.phone(number)))
    audit.note(conn, who, "phone.right", number, "", now)
    return number


def phones_of(conn: Connection, customer_no: str) -> list[str]:
    """The phones that are tied to a customer now."""
    query = select(phone_customer.c.phone).where(phone_customer.c.customer_no == customer_no)
    return list(conn.scalars(query.order_by(phone_customer.c.phone)))


def untie(conn: Connection, number: str, customer_no: str, how: Given) -> list[str]:
    """Take one customer from a phone, whether tied or not; returns the customers that it still has."""
    _lock(conn, number)
    _untie(conn, number, [customer_no], how)
    return _customers_of(conn, number)


def _lock(conn: Connection, number: str) -> Any:
    """The phone's row, if there is one; nobody else changes or adds it until this transaction ends."""
    one_at_a_time(conn, f"phone:{number}")
    return conn.execute(select(phone).where(phone.c.number == number)).one_or_none()


def _keep(conn: Connection, number: str, row: Any, language: Language, now: datetime, **values: Any) -> None:
    if row is not None:
        conn.execute(phone.update().where(phone.c.number == number).values(**values))
        return
    nothing = {"number": number, "language": language, "created_at": now, **dict.fromkeys(SERVICES, False)}
    conn.execute(phone.insert(), {**nothing, **values})


def _end_services(conn: Connection, number: str, services: Collection[str], how: Given) -> None:
    """A phone that has no service left has no customers either: who comes back is registered anew."""
    consent.narrow(conn, number, services, how)
    _switch_off(conn, number, services)
    if conn.scalar(
        select(phone.c.number).where(phone.c.number == number, phone.c.bill | phone.c.reminder | phone.c.outage)
    ):
        return
    conn.execute(phone_customer.delete().where(phone_customer.c.phone == number))


def _untie(conn: Connection, number: str, customer_numbers: Collection[str], how: Given) -> None:
    """Take customers from a phone; without any it has no services either."""
    consent.end(conn, number, customer_numbers, how)
    of_phone = phone_customer.c.phone == number
    conn.execute(phone_customer.delete().where(of_phone, phone_customer.c.customer_no.in_(customer_numbers)))
    if not _customers_of(conn, number):
        _switch_off(conn, number, SERVICES)


def _switch_off(conn: Connection, number: str, services: Collection[str]) -> None:
    conn.execute(phone.update().where(phone.c.number == number).values(dict.fromkeys(services, False)))


def _customers_of(conn: Connection, number: str) -> list[str]:
    query = select(phone_customer.c.customer_no).where(phone_customer.c.phone == number)
    return list(conn.scalars(query.order_by(phone_customer.c.customer_no)))


def _check_choices(services: Collection[str], language: str) -> None:
    _check_services(services)
    if language not in get_args(Language):
        raise RegistrationRefused(
            reason=Because(
                "{language!r} is no language; choose one of {languages}",
                language=language,
                languages=", ".join(get_args(Language)),
            )
        )


def _check_services(services: Collection[str]) -> None:
    known = ", ".join(SERVICES)
    if not services:
        raise RegistrationRefused(reason=Because("no service was chosen; choose any of {services}", services=known))
    unknown = [service for service in services if service not in SERVICES]
    if unknown:
        reason = Because("{service!r} is no service; choose any of {services}", service=unknown[0], services=known)
        raise RegistrationRefused(reason=reason)


def _new_customers(conn: Connection, tied: Collection[str], customer_numbers: Sequence[str]) -> list[str]:
    """Those of the customer numbers that are not tied to the phone yet, all checked."""
    if not customer_numbers:
        raise RegistrationRefused(reason=Because("no customer number was given"))
    for customer_no in customer_numbers:
        _check_customer(conn, customer_no)
    new = [customer_no for customer_no in dict.fromkeys(customer_numbers) if customer_no not in tied]
    if new and len(tied) + len(new) > MOST_CUSTOMERS:
        most, count = MOST_CUSTOMERS, len(tied) + len(new)
        reason = Because("a phone may have {most} customer numbers; this would be {count}", most=most, count=count)
        raise PhoneIsFull(reason=reason)
    return new


def _check_customer(conn: Connection, customer_no: str) -> None:
    current = select(dataset.c.generation).where(dataset.c.type == "CUSTOMERS").scalar_subquery()
    active = conn.scalar(
        select(customer.c.active).where(customer.c.generation == current, customer.c.customer_no == customer_no)
    )
    if active is None:
        reason = Because(
            "customer {customer} is not in the customers that billing has handed over", customer=customer_no
        )
        raise RegistrationRefused(reason=reason)
    if not active:
        raise RegistrationRefused(reason=Because("customer {customer} is not active any more", customer=customer_no))
