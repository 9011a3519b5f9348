"""Whether a round of the ledger whose COMMIT was cut off is in the database.

On PostgreSQL each round that has written leaves a row, in the round trip of its COMMIT. The number of the transaction
would not tell: a server that comes back after a crash, or the standby in its place, gives out numbers anew of which
nothing had reached its disk, and calls committed what somebody else did under them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Transaction, select
from sqlalchemy.exc import DBAPIError

from modemd.store import pipeline
from modemd.store.bulk import UNLIKE
from modemd.store.dialects import insert_into
from modemd.store.schema import ledger_round

KEPT = 1000  # rounds of each ledger, or a few less
FORGOTTEN_AFTER = timedelta(days=30)  # those of daemons that have ended; nobody asks for them any more
IDLE = 0  # libpq's PQTRANS_IDLE

_LEAVE = (
    "INSERT INTO ledger_round (ledger, number, committed, at) SELECT %s, %s, true, %s"
    " WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
)


@dataclass(slots=True)
class Rounds:
    """Those of one ledger."""

    ledger: str = field(default_factory=lambda: str(uuid.uuid4()))
    number: int = 0  # of the last one

    def commit(self, conn: Connection, transaction: Transaction, now: datetime) -> None:
        """Commit the next round. Raises DBAPIError; if the connection was lost, `has_committed` tells."""
        self.number += 1
        driver: Any = conn.connection.dbapi_connection
        if conn.dialect.name != "postgresql" or driver.info.transaction_status == IDLE:  # nothing was asked
            transaction.commit()
            return
        if self.number % KEPT == 1:
            self._forget(conn, now)
        with pipeline.together(conn) as driver:
            driver.execute(_LEAVE, (self.ledger, self.number, now))
            transaction.commit()

    def commit_at_once(self, conn: Connection, statements: Sequence[tuple[str, Any]], now: datetime) -> bool:
        """Run the next round as a whole and commit it, in one round trip to PostgreSQL.

        False: the rows were not as it expects, and nothing was written. Raises DBAPIError as `commit` does.
        """
        if self.number % KEPT == 0:  # the next one forgets the others
            return False
        self.number += 1
        try:
            pipeline.commit(conn, [*statements, (_LEAVE, (self.ledger, self.number, now))])
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != UNLIKE:
                raise
            return False
        return True

    def has_committed(self, conn: Connection, now: datetime) -> bool:
        """On PostgreSQL, whether the last round is in the database; if not, it cannot come any more once this commits.

        Waits where the server is still at it.
        """
        key = {"ledger": self.ledger, "number": self.number}
        missing = insert_into(conn, ledger_round).values(**key, committed=False, at=now)
        conn.execute(missing.on_conflict_do_nothing())
        found = select(ledger_round.c.committed).filter_by(**key)
        return bool(conn.scalar(found))

    def _forget(self, conn: Connection, now: datetime) -> None:
        """Own rounds of which the answer has come, and what daemons left that ended long ago."""
        own = (ledger_round.c.ledger == self.ledger) & (ledger_round.c.number < self.number)
        conn.execute(ledger_round.delete().where(own | (ledger_round.c.at < now - FORGOTTEN_AFTER)))
