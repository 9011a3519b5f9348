"""Billing as a test plays it: hand-over files in, and what the database then says."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, Table, func, select

from modemd.billing import importing
from modemd.billing.importing import Imported
from modemd.store.schema import dataset, import_file, open_item

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DATA_AT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
OPENITEMS = (
    "customer_no;itn;invoice_no;invoice_date;due_date;cutoff_date;amount_total;amount_open;currency;status;level;class"
    ";flags"
)
CUSTOMERS = "customer_no;itn;class;identity;language;active"
PAYMENTS = "customer_no;invoice_no;paid_at;amount"


def header(type_: str = "OPENITEMS", seq: int = 1, mode: str = "FULL", at: str = "2026-11-23T05:30:00+02:00") -> str:
    return f"H;{type_};1;sap;{seq};{mode};{at};EUR;utf-8"


def item(number: int = 1, amount: str = "37,91", status: str = "OPEN", **other: str) -> str:
    """A D row of OPENITEMS; `other` takes the place of the cell of that column."""
    cells = {
        "customer_no": f"{300000000000 + number}",
        "itn": "",
        "invoice_no": f"{480000000 + number:010}",
        "invoice_date": "2026-11-10",
        "due_date": "2026-11-24",
        "cutoff_date": "2026-12-07",
        "amount_total": amount,
        "amount_open": amount,
        "currency": "EUR",
        "status": status,
        "level": "0",
        "class": "H",
        "flags": "",
    }
    return ";".join(["D", *{**cells, **{name.rstrip("_"): cell for name, cell in other.items()}}.values()])


def person(number: int = 1, **other: str) -> str:
    """A D row of CUSTOMERS."""
    cells = {
        "customer_no": f"{300000000000 + number}",
        "itn": "",
        "class": "H",
        "identity": "",
        "language": "",
        "active": "1",
    }
    return ";".join(["D", *{**cells, **{name.rstrip("_"): cell for name, cell in other.items()}}.values()])


def paid(number: int = 1, amount: str = "37,91", **other: str) -> str:
    """A D row of PAYMENTS, for the invoice that `item` makes."""
    cells = {
        "customer_no": f"{300000000000 + number}",
        "invoice_no": f"{480000000 + number:010}",
        "paid_at": "2026-11-22",
        "amount": amount,
    }
    return ";".join(["D", *{**cells, **other}.values()])


def payments(*rows: str, seq: int = 1, mode: str = "DELTA", at: datetime = DATA_AT) -> list[str]:
    """The lines of a good PAYMENTS file."""
    cents = sum(int(row.rpartition(";")[2].replace(",", "")) for row in rows)
    sum_ = f"{cents // 100},{cents % 100:02}"
    return [header("PAYMENTS", seq, mode, at.isoformat()), f"C;{PAYMENTS}", *rows, f"T;{len(rows)};{sum_}"]


def total(rows: int, amount: str = "37,91") -> str:
    """The trailer of as many rows with this amount."""
    cents = rows * int(amount.replace(",", ""))
    return f"T;{rows};{cents // 100},{cents % 100:02}"


def items(count: int, *, seq: int = 1, mode: str = "FULL", amount: str = "37,91", at: datetime = DATA_AT) -> list[str]:
    """The lines of a good OPENITEMS file."""
    rows = [item(number, amount) for number in range(1, count + 1)]
    return [header(seq=seq, mode=mode, at=at.isoformat()), f"C;{OPENITEMS}", *rows, total(count, amount)]


def people(count: int, *, seq: int = 1, mode: str = "FULL") -> list[str]:
    """The lines of a good CUSTOMERS file."""
    rows = [person(number) for number in range(1, count + 1)]
    return [header("CUSTOMERS", seq, mode), f"C;{CUSTOMERS}", *rows, f"T;{count};0,00"]


@dataclass
class Office:
    engine: Engine
    folder: Path
    now: datetime = NOW
    files: int = 0
    progress: list[tuple[int, int]] = field(default_factory=list)
    on_progress: Callable[[], object] = lambda: None

    @property
    def reject_folder(self) -> Path:
        return self.folder / "reject"

    def put(self, content: list[str] | bytes, encoding: str = "utf-8", end: str = "\n") -> Path:
        """Write a file and its companion."""
        self.files += 1
        path = self.folder / f"handover-{self.files}.csv"
        path.write_bytes(content if isinstance(content, bytes) else end.join([*content, ""]).encode(encoding))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(path.name + ".sha256").write_text(f"{digest}  {path.name}\n")
        return path

    def take(self, content: list[str] | bytes | Path, *, approved: bool = False) -> Imported:
        """Import a file."""
        path = content if isinstance(content, Path) else self.put(content)
        return importing.import_file(
            self.engine,
            path,
            self.now,
            reject_folder=self.reject_folder,
            progress=self._progress,
            approved=approved,
        )

    def _progress(self, done: int, of: int) -> None:
        self.progress.append((done, of))
        self.on_progress()

    def current(self, table: Table = open_item, type_: str = "OPENITEMS") -> dict[str, int]:
        """What counts: open cents (for customers: 1 if active) by customer number."""
        with self.engine.connect() as conn:
            value = table.c.open_cents if table is open_item else table.c.active
            rows = conn.execute(
                select(table.c.customer_no, value)
                .join(dataset, dataset.c.generation == table.c.generation)
                .where(dataset.c.type == type_)
            )
            return {customer_no: int(found) for customer_no, found in rows}

    def left(self, number: int = 1) -> tuple[int, str]:
        """Open cents and status of the invoice that `item` makes."""
        with self.engine.connect() as conn:
            row = conn.execute(
                select(open_item.c.open_cents, open_item.c.status)
                .join(dataset, dataset.c.generation == open_item.c.generation)
                .where(dataset.c.type == "OPENITEMS", open_item.c.customer_no == f"{300000000000 + number}")
            ).one()
            return row.open_cents, row.status

    def stored(self, table: Table = open_item) -> int:
        """All rows, also those that count for nothing."""
        with self.engine.connect() as conn:
            return conn.scalar(select(func.count()).select_from(table)) or 0

    def noted(self) -> list[tuple[int, str]]:
        """Sequence and state of every file in the order they came."""
        with self.engine.connect() as conn:
            return [(row.seq, row.state) for row in conn.execute(select(import_file).order_by(import_file.c.id))]

    def snapshot(self) -> tuple[object, ...]:
        """Everything that a question can see."""
        with self.engine.connect() as conn:
            return (self.current(), [tuple(row) for row in conn.execute(select(dataset))])


def hours(count: float) -> timedelta:
    return timedelta(hours=count)
