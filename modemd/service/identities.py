"""Who a customer is: ЕГН and ЛНЧ as they are compared and never kept, ЕИК and БУЛСТАТ as they are written.

Billing hands over, and the database holds, HMAC-SHA256(ЕГН or ЛНЧ) in lower-case hex under a key from the settings
(DOMAIN, section 6); of a company it is the ЕИК itself.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, select
from stdnum.bg import egn, pnf, vat

from modemd.config import Service
from modemd.errors import SettingsError
from modemd.store import limits
from modemd.store.schema import customer, dataset

SHORTEST_KEY = 32  # characters
PER_CUSTOMER = [(5, timedelta(hours=1)), (10, timedelta(days=1))]
PER_PERSON = [(60, timedelta(hours=1))]
BRANCH_WEIGHTS = ((2, 7, 3, 5), (4, 9, 5, 7))  # of digits 9 to 12 of a 13-digit БУЛСТАТ; the second when the rest is 10


def key(service: Service) -> bytes:
    """The key of the HMAC. Raises SettingsError where there is none."""
    path = service.identity_key_file
    if path is None:
        reason = "identity_key_file is not set; it names the file with the key that billing uses for ЕГН."
        raise SettingsError(path="[service]", reason=reason)
    return _read(path)


@lru_cache(maxsize=4)
def _read(path: Path) -> bytes:
    try:
        found = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"identity_key_file {path} cannot be read: {error}."
        raise SettingsError(path="[service]", reason=reason) from error
    if len(found) < SHORTEST_KEY:
        reason = f"identity_key_file {path} holds fewer than {SHORTEST_KEY} characters."
        raise SettingsError(path="[service]", reason=reason)
    return found.encode("ascii")


def is_company(number: str) -> bool:
    """A 9-digit ЕИК or a 13-digit БУЛСТАТ of a branch, with the right check digits."""
    if len(number) == 9:
        return bool(vat.is_valid(number))
    return len(number) == 13 and number.isdecimal() and bool(vat.is_valid(number[:9])) and _branch_digit(number)


def is_person(number: str) -> bool:
    """An ЕГН or an ЛНЧ, with the right check digit."""
    return bool(egn.is_valid(number) or pnf.is_valid(number))


def of_person(number: str, secret: bytes) -> str:
    """What the database holds in the place of an ЕГН or ЛНЧ."""
    return hmac.new(secret, number.encode("ascii", "replace"), hashlib.sha256).hexdigest()


def may_compare(conn: Connection, customer_no: str, who: str, now: datetime) -> bool:
    """Count one comparison by a person of staff: nobody finds an ЕГН out by trying."""
    return limits.take(conn, f"identity:{who}", PER_PERSON, now) and limits.take(
        conn, f"identity:{customer_no}", PER_CUSTOMER, now
    )


def fits(conn: Connection, customer_no: str, typed: str, secret: bytes) -> bool:
    """Whether an ЕГН, ЛНЧ or ЕИК read from a document is this customer's; keeps nothing of it."""
    number = "".join(typed.split())
    query = _current().where(customer.c.customer_no == customer_no)
    row = conn.execute(query.add_columns(customer.c["class"], customer.c.identity)).first()
    if row is None or not row.identity:
        return False
    told = number if row._mapping["class"] == "B" else of_person(number, secret)
    return hmac.compare_digest(told.encode(), row.identity.encode())


def customers_of(conn: Connection, person: str | None, company: str | None, secret: bytes) -> list[str]:
    """The active customer numbers of a person, of a company, or of both; in order."""
    wanted = [("H", of_person(person, secret))] if person else []
    wanted += [("B", company)] if company else []
    found: set[str] = set()
    for class_, identity in wanted:
        mine = _current().where(customer.c["class"] == class_, customer.c.identity == identity, customer.c.active)
        found.update(conn.scalars(mine))
    return sorted(found)


def _current() -> Select[Any]:
    generation = select(dataset.c.generation).where(dataset.c.type == "CUSTOMERS").scalar_subquery()
    return select(customer.c.customer_no).where(customer.c.generation == generation)


def _branch_digit(number: str) -> bool:
    """The last digit of a 13-digit БУЛСТАТ (DOMAIN, section 2)."""
    digits = [int(digit) for digit in number[8:12]]
    for weights in BRANCH_WEIGHTS:
        rest = sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 11
        if rest != 10:
            return rest == int(number[12])
    return number[12] == "0"
