"""The phones of a customer as he sees them himself: at the portal, and at the desk of a customer centre."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from modemd.config import Language
from modemd.service import consent, subscriptions
from modemd.service.consent import SERVICES, Shown
from modemd.store import listing
from modemd.store.listing import Listed
from modemd.store.schema import Channel, phone, phone_customer


@dataclass(frozen=True, slots=True)
class OwnPhone:
    number: str
    customer_numbers: tuple[str, ...]  # those of the one who looks; the phone may have others
    services: tuple[str, ...]
    language: Language
    stopped: bool  # by STOP: reminders and notices do not come, whatever is chosen


def of_customers(conn: Connection, customer_numbers: Sequence[str]) -> list[OwnPhone]:
    """Every phone that is registered for one of these customers, in order of its number."""
    query = (
        select(phone, phone_customer.c.customer_no)
        .join_from(phone, phone_customer, phone_customer.c.phone == phone.c.number)
        .where(phone_customer.c.customer_no.in_(customer_numbers), phone.c.wrong_number_at.is_(None))
        .order_by(phone.c.number, phone_customer.c.customer_no)
    )
    tied: defaultdict[str, list[str]] = defaultdict(list)
    rows = {}
    for row in conn.execute(query):
        rows[row.number] = row
        tied[row.number].append(row.customer_no)
    return [
        OwnPhone(
            number,
            tuple(tied[number]),
            tuple(service for service in SERVICES if row._mapping[service]),
            row.language,
            row.stopped_at is not None,
        )
        for number, row in rows.items()
    ]


def choose(
    conn: Connection, own: OwnPhone, services: Sequence[str], channel: Channel, shown: Shown, now: datetime
) -> None:
    """Give a registered phone just these services. Raises what `subscriptions.subscribe` raises."""
    subscriptions.subscribe(
        conn, own.number, own.customer_numbers, services, own.language, channel, consent.CUSTOMER, shown, now
    )


def sent_to(conn: Connection, numbers: Sequence[str], limit: int) -> list[Listed]:
    """The newest messages to these phones, the newest first."""
    found = [each for number in numbers for each in listing.find(conn, direction="mt", number=number, limit=limit)]
    return sorted(found, key=lambda each: each.id, reverse=True)[:limit]
