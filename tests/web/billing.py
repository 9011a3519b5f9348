"""What billing hands over and customers choose, put into a panel's database."""

from datetime import timedelta

from modemd.service.reminders import preview
from modemd.store.schema import FileState, customer, import_file
from tests.panels import NOW, RunningPanel
from tests.service.desk import Desk
from tests.service.runs import Runs

POINT = "32Z101000000001Z"


def debtors(panel: RunningPanel, count: int = 3) -> None:
    """So many people with an overdue invoice each."""
    with panel.writing() as conn:
        runs = Runs(Desk(conn, 1, panel.settings), panel.settings)
        runs.data(NOW - timedelta(hours=2))
        runs.debtors(count)


def change(panel: RunningPanel, number: int, **columns: str) -> None:
    """Billing says something else of a customer's invoices."""
    with panel.writing() as conn:
        Runs(Desk(conn, 1, panel.settings), panel.settings).change(number, **columns)


def at_point(panel: RunningPanel, count: int) -> None:
    """So many customers at POINT, with a phone each."""
    with panel.writing() as conn:
        Runs(Desk(conn, 1, panel.settings), panel.settings).people(*range(1, count + 1))
    give_point(panel)


def give_point(panel: RunningPanel) -> None:
    """Every customer is at POINT."""
    with panel.writing() as conn:
        conn.execute(customer.update().values(itn=POINT))


def a_run(panel: RunningPanel, by: str = "boris") -> int:
    """A previewed run of three reminders; returns its id."""
    debtors(panel)
    with panel.writing() as conn:
        made = preview.preview(conn, panel.settings, panel.now)
        return preview.propose(conn, made, panel.settings, by, panel.now)


def a_held_file(panel: RunningPanel) -> int:
    """One with half the rows of the last."""
    row = {
        "type": "OPENITEMS", "source": "erp", "seq": 2, "mode": "FULL", "name": "openitems-0002.csv",
        "sha256": "0" * 64, "data_at": NOW, "rows": 50, "rejected": 1, "open_cents": 123_456, "previous_rows": 100,
        "previous_cents": 250_000, "state": FileState.HELD, "reason": "50 rows after 100", "at": NOW,
    }  # fmt: skip
    with panel.writing() as conn:
        return int(conn.execute(import_file.insert().returning(import_file.c.id), row).scalar_one())
