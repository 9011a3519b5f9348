"""The types of hand-over files, and what the frame of each holds. A new type is a row here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["FULL", "DELTA"]

VERSION = "1"
CURRENCY = "EUR"
ENCODINGS = ("utf-8", "windows-1251")
MODES = ("FULL", "DELTA")

IN = ("CUSTOMERS", "OPENITEMS", "PAYMENTS")  # what billing hands over; the others are what we hand back


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame of one type of file holds."""

    columns: tuple[str, ...]
    amount: str | None = None  # the column that the trailer sums up; None: its sum is 0,00
    private: str | None = None  # a column whose cells never leave the file as they are


FRAMES: Mapping[str, Frame] = {
    "CUSTOMERS": Frame(("customer_no", "itn", "class", "identity", "language", "active"), private="identity"),
    "OPENITEMS": Frame(
        (
            "customer_no",
            "itn",
            "invoice_no",
            "invoice_date",
            "due_date",
            "cutoff_date",
            "amount_total",
            "amount_open",
            "currency",
            "status",
            "level",
            "class",
            "flags",
        ),
        amount="amount_open",
    ),
    "PAYMENTS": Frame(("customer_no", "invoice_no", "paid_at", "amount"), amount="amount"),
    "REGISTRATIONS": Frame(("customer_no", "phone_last3", "event", "services", "channel", "at")),
    "SMSRESULTS": Frame(
        (
            "customer_no",
            "invoice_no",
            "level",
            "phone_last3",
            "queued_at",
            "sent_at",
            "status",
            "status_at",
            "error",
        )
    ),
}
