"""What invented messages say, in the words of the service, and how many parts that takes.

A year has millions of reminders, which differ in amount and customer alone: the service writes one for each day and
language, and the others are written after it.
"""

from datetime import date, datetime, timedelta
from functools import cache

from modemd import masks
from modemd.config import Language, Settings
from modemd.pdu import segments
from modemd.scenarios.people import Phone
from modemd.service import notices, templates
from modemd.service.notices import Owed
from modemd.service.templates import Site

SETTINGS = Settings()  # texts, priorities and validity are those of an installation that has set none
_SOMEBODY, _CENTS = "300000007777", 9_876_543  # what no other fact of a text looks like
Worded = tuple[str, int]  # the text and its parts


def reminder(phone: Phone, cents: int, cutoff: date) -> Worded:
    """Of what one customer owes."""
    form = _form(phone.language, cutoff)
    text = form.format(amount=templates.money(cents), customer=masks.customer(phone.customer_no))
    return text, _parts(form, len(text))


def bill(phone: Phone, cents: int, due: date | None, at: datetime) -> Worded:
    """The answer to a question of that moment; the data are of the night before."""
    site = Site(phone.customer_no, cents, due, overdue=due is not None and due < at.date())
    data_at = (at - timedelta(hours=6)).replace(hour=3, minute=30)
    text = templates.bill([site], data_at, phone.language, SETTINGS.service)
    return text, segments.measure(text).parts


@cache
def _form(language: Language, cutoff: date) -> str:
    text = notices.reminder(Owed((_SOMEBODY,), _CENTS, cutoff), language, notices.TEXTS, SETTINGS.service)
    amount, customer = templates.money(_CENTS), masks.customer(_SOMEBODY)
    return text.replace(amount, "{amount}").replace(customer, "{customer}")


@cache
def _parts(form: str, length: int) -> int:
    """Of each text of this form that is so long: digits take the same room in both alphabets."""
    text = form.format(amount="", customer="")
    return segments.measure(text + "0" * (length - len(text))).parts
