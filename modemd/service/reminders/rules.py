"""Whether an invoice is to be reminded of: one set of rules, for the preview and for the moment before the send."""

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Label

from modemd.service import subscriptions
from modemd.service.calendar import Calendar
from modemd.store.schema import open_item, phone

OVERDUE_DAYS = 2  # working days: payments reach billing so late (DOMAIN 5)
CUTOFF_DAYS = 3  # working days that the customer still has


class Reason(StrEnum):
    """Why somebody gets no reminder, in words; its name in small letters is the key in JSON."""

    PAID = "paid"
    CANCELLED = "cancelled by billing"
    VULNERABLE = "vulnerable"
    DISPUTED = "disputed"
    INSTALMENTS = "in instalments"
    NO_REMINDERS = "no reminders wanted"
    NO_CUTOFF = "no cut-off date"
    NOT_OVERDUE = "not overdue for 2 working days"
    CUTOFF_NEAR = "cut-off nearer than 3 working days"
    REMINDED = "reminded before"
    INACTIVE = "customer not active"
    NO_PHONE = "no phone registered"
    WRONG_NUMBER = "wrong number"
    STOPPED = "stopped by the customer"
    NO_CONSENT = "reminders not chosen"
    CHANGED = "changed since the preview"
    MOVED = "the phone is not the customer's any more"

    @property
    def key(self) -> str:
        return self.name.lower()


_FLAGS = {
    "V": Reason.VULNERABLE,
    "D": Reason.DISPUTED,
    "I": Reason.INSTALMENTS,
    "N": Reason.NO_REMINDERS,
}


def facts(customer_no: ColumnElement[str]) -> tuple[ColumnElement[Any], ...]:
    """The columns that a row needs for `of_item` and `of_phone`; `customer_no`: of the invoice."""
    return (
        open_item.c.status,
        open_item.c.open_cents,
        open_item.c.flags,
        open_item.c.due_date,
        open_item.c.cutoff_date,
        open_item.c.level,
        _label(subscriptions.is_active(customer_no), "active"),
        phone.c.number,
        phone.c.reminder,
        phone.c.stopped_at,
        phone.c.wrong_number_at,
        _label(subscriptions.receives("reminder"), "receives"),
    )


def _label(condition: ColumnElement[bool], name: str) -> Label[bool]:
    return condition.label(name)


class Rules:
    """The rules as they are on one day."""

    def __init__(self, calendar: Calendar, today: date) -> None:
        self._today = today
        self._calendar = calendar
        self.last_day = cache(self._last_day)  # a file of 27,000 rows has a few dates
        self._first_day = cache(self._calendar.working_days_after)

    def of_item(self, row: Any) -> Reason | None:
        """What speaks against reminding of an invoice, whoever gets it; None: nothing."""
        if row.status == "CANCELLED":
            return Reason.CANCELLED
        if row.status == "PAID" or row.open_cents <= 0:
            return Reason.PAID
        for flag, reason in _FLAGS.items():
            if flag in row.flags:
                return reason
        if row.cutoff_date is None:
            return Reason.NO_CUTOFF
        if self._today < self._first_day(row.due_date, OVERDUE_DAYS):
            return Reason.NOT_OVERDUE
        if self._today > self.last_day(row.cutoff_date):
            return Reason.CUTOFF_NEAR
        return None if row.active else Reason.INACTIVE

    @staticmethod
    def of_phone(row: Any) -> Reason | None:
        """What speaks against this phone; None: nothing."""
        if row.number is None:
            return Reason.NO_PHONE
        if row.receives:
            return None
        if row.wrong_number_at is not None:
            return Reason.WRONG_NUMBER
        return Reason.STOPPED if row.stopped_at is not None else Reason.NO_CONSENT

    def _last_day(self, cutoff: date) -> date:
        """The last day on which a reminder of this cut-off may leave."""
        return self._calendar.working_days_before(cutoff, CUTOFF_DAYS)
