"""Every text the service sends, in its three languages, in one place.

Latin texts stay within GSM 03.38, where € costs two septets: money is `37,91 EUR` everywhere. Each text names the
information line, holds no link and no name, and fits two parts at its worst (`check`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from modemd import masks
from modemd.config import SOFIA, Language, Service
from modemd.errors import SettingsError
from modemd.pdu import segments

Name = Literal["bill", "overdue", "nothing_due", "no_data", "not_registered", "number", "stopped", "help"]

MOST_PARTS = 2
MOST_SITES = 5
_WORST_CENTS = 9_999_999
_LINK = re.compile(r"://|www\.|\b[a-z0-9-]+\.(?:bg|com|net|org|eu|info|me|ly|gg|link|app|biz)\b", re.IGNORECASE)

TEXTS: dict[Language, dict[Name, str]] = {
    "bg-Latn": {
        "bill": "{supplier}: smetka za klient {customer}: {amount} EUR, srok {due}. Danni kam {data}. Info {info}",
        "overdue": "{supplier}: smetka za klient {customer}: {amount} EUR, srok {due} (prosrochena). Danni kam {data}."
        " Info {info}",
        "nothing_due": "{supplier}: klient {customer} nyama zadalzhenia. Danni kam {data}. Info {info}",
        "no_data": "{supplier}: v momenta nyamame danni za smetki. Opitayte po-kasno. Info {info}",
        "not_registered": "{supplier}: tozi nomer ne e registriran za SMS uslugi. Registratsia: portal ili targovski"
        " tsentar. Info {info}",
        "number": "{supplier}: klientski nomer ne se registrira s SMS. Registratsia: portal ili targovski tsentar."
        " Za smetka izpratete SMETKA. Info {info}",
        "stopped": "{supplier}: SMS izvestiyata za tozi nomer sa spreni na {day}. Povtorna registratsia: portal ili"
        " targovski tsentar. Info {info}",
        "help": "{supplier}: za smetka izpratete SMETKA, za spirane na izvestiyata STOP. Ne prashtame linkove i ne"
        " iskame danni za karti. Info {info}",
    },
    "bg-Cyrl": {
        "bill": "{supplier}: сметка за клиент {customer}: {amount} EUR, срок {due}. Данни към {data}. Инфо {info}",
        "overdue": "{supplier}: сметка за клиент {customer}: {amount} EUR, срок {due} (просрочена). Данни към {data}."
        " Инфо {info}",
        "nothing_due": "{supplier}: клиент {customer} няма задължения. Данни към {data}. Инфо {info}",
        "no_data": "{supplier}: в момента нямаме данни за сметки. Опитайте по-късно. Инфо {info}",
        "not_registered": "{supplier}: този номер не е регистриран за SMS услуги. Регистрация: портал или търговски"
        " център. Инфо {info}",
        "number": "{supplier}: клиентски номер не се регистрира със SMS. Регистрация: портал или търговски център."
        " За сметка: СМЕТКА. Инфо {info}",
        "stopped": "{supplier}: SMS известията за този номер са спрени на {day}. Нова регистрация: портал или"
        " търговски център. Инфо {info}",
        "help": "{supplier}: за сметка изпратете СМЕТКА, за край на известията СТОП. Не пращаме линкове и не искаме"
        " данни за карти. Инфо {info}",
    },
    "en": {
        "bill": "{supplier}: bill of customer {customer}: {amount} EUR, due {due}. Data as of {data}. Info {info}",
        "overdue": "{supplier}: bill of customer {customer}: {amount} EUR, due {due} (overdue). Data as of {data}."
        " Info {info}",
        "nothing_due": "{supplier}: customer {customer} has nothing to pay. Data as of {data}. Info {info}",
        "no_data": "{supplier}: we have no billing data at the moment. Please try later. Info {info}",
        "not_registered": "{supplier}: this number is not registered for SMS services. Registration: portal or"
        " customer centre. Info {info}",
        "number": "{supplier}: a customer number cannot be registered by SMS. Registration: portal or customer centre."
        " For your bill text SMETKA. Info {info}",
        "stopped": "{supplier}: SMS notices for this number were stopped on {day}. Registering again: portal or"
        " customer centre. Info {info}",
        "help": "{supplier}: text SMETKA for your bill, STOP to end the notices. We send no links and never ask for"
        " card details. Info {info}",
    },
}


@dataclass(frozen=True, slots=True)
class _Several:
    """One way to write the bill of several sites: the whole, and the three forms of a site in its {sites}."""

    text: str
    due: str = ""
    overdue: str = ""
    nothing: str = ""


# The first that fits two parts is used. In Cyrillic, where two parts hold 134 characters, the last always does.
_SEVERAL: dict[Language, tuple[_Several, ...]] = {
    "bg-Latn": (
        _Several(
            "{supplier}, danni kam {data}: {sites}. Obshto {total} EUR. Info {info}",
            "{customer} {amount} EUR do {day_month}",
            "{customer} {amount} EUR prosrocheni",
            "{customer} 0,00 EUR",
        ),
    ),
    "bg-Cyrl": (
        _Several(
            "{supplier}, данни към {data}: {sites}. Общо {total} EUR. Инфо {info}",
            "{customer} {amount} EUR до {day_month}",
            "{customer} {amount} EUR просрочени",
            "{customer} 0,00 EUR",
        ),
        _Several(
            "{supplier} {data}: {sites}. Общо {total} EUR, просрочени {total_overdue}. Инфо {info}",
            "{customer} {amount}",
            "{customer} {amount}",
            "{customer} 0,00",
        ),
        _Several(
            "{supplier}: {count} клиента, общо {total} EUR, просрочени {total_overdue}. Данни към {data}."
            " Един: СМЕТКА и номер. Инфо {info}"
        ),
    ),
    "en": (
        _Several(
            "{supplier}, data as of {data}: {sites}. Total {total} EUR. Info {info}",
            "{customer} {amount} EUR by {day_month}",
            "{customer} {amount} EUR overdue",
            "{customer} 0,00 EUR",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Site:
    """What one customer number has to pay."""

    customer_no: str
    cents: int
    due: date | None  # the earliest; None where nothing is to be paid
    overdue: bool


def render(name: Name, language: Language, service: Service, **facts: str) -> str:
    """One of `TEXTS`, with the supplier, the information line and its own facts filled in."""
    return TEXTS[language][name].format(**common(language, service), **facts)


def bill(sites: Sequence[Site], data_at: datetime, language: Language, service: Service) -> str:
    """What these sites (at least one) have to pay, as of `data_at`."""
    if len(sites) > 1:
        return _several(sites, data_at, language, service)
    site, data = sites[0], _time(data_at)
    if site.due is None:
        return render("nothing_due", language, service, customer=mask(site.customer_no), data=data)
    name: Name = "overdue" if site.overdue else "bill"
    facts = {"customer": mask(site.customer_no), "amount": money(site.cents), "due": day(site.due), "data": data}
    return render(name, language, service, **facts)


def _several(sites: Sequence[Site], data_at: datetime, language: Language, service: Service) -> str:
    text = ""
    for form in _SEVERAL[language]:
        text = form.text.format(
            **common(language, service),
            sites="; ".join(_site(site, form) for site in sites),
            count=len(sites),
            total=money(sum(site.cents for site in sites)),
            total_overdue=money(sum(site.cents for site in sites if site.overdue)),
            data=_time(data_at),
        )
        if segments.measure(text).parts <= MOST_PARTS:
            break
    return text


def _site(site: Site, form: _Several) -> str:
    customer = mask(site.customer_no)
    if site.due is None:
        return form.nothing.format(customer=customer)
    words = form.overdue if site.overdue else form.due
    return words.format(customer=customer, amount=money(site.cents), day_month=f"{site.due:%d.%m}")


def is_ours(text: str, service: Service) -> bool:
    """Whether a text is one of these, as a machine that forwards or echoes sends it back."""
    return text.lstrip().startswith((service.supplier, service.supplier_cyrillic)) and service.info_line in text


def check(service: Service) -> None:
    """Raise SettingsError if a text could need more than two parts with this supplier and these numbers."""
    moment, longest_day = datetime(2026, 12, 31, tzinfo=UTC), day(date.max)
    facts = {"customer": mask("0" * 12), "amount": money(_WORST_CENTS), "due": longest_day, "day": longest_day}
    facts["data"] = _time(moment)
    worst = [Site("0" * 12, _WORST_CENTS, date.max, overdue=True)] * MOST_SITES
    for language, texts in TEXTS.items():
        longest: dict[str, str] = {name: render(name, language, service, **facts) for name in texts}
        longest["bill of several"] = bill(worst, moment, language, service)
        for name, text in longest.items():
            if segments.measure(text).parts > MOST_PARTS:
                reason = f"the text {name!r} ({language}) could need more than {MOST_PARTS} parts; shorten [service]."
                raise SettingsError(path="[service]", reason=reason)


def has_link(text: str) -> bool:
    """Whether a text holds what a phone makes a link of: ours hold none, so that nobody learns to follow one."""
    return _LINK.search(text) is not None


def mask(customer_no: str) -> str:
    """A customer number as texts show it: its last 4 digits."""
    return masks.customer(customer_no)


def money(cents: int) -> str:
    """An amount that is not negative, as texts write it, without its currency: 3791 -> `37,91`."""
    return f"{cents // 100},{cents % 100:02}"


def day(of: date) -> str:
    """A date as texts write it: 23.11.2026."""
    return f"{of:%d.%m.%Y}"


def day_of(moment: datetime) -> str:
    """The day in Sofia of a moment, as texts write it."""
    return day(moment.astimezone(SOFIA).date())


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(SOFIA):%d.%m.%Y %H:%M}"


def common(language: Language, service: Service) -> dict[str, str]:
    """What every text names: the supplier and the information line."""
    supplier = service.supplier_cyrillic if language == "bg-Cyrl" else service.supplier
    return {"supplier": supplier, "info": service.info_line}
