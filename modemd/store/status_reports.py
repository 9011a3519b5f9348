"""What the service centre says became of our parts: matched, also when it comes before its +CMGS (23.040, 9.2.3.15)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from modemd.messages import StatusReport


def reported(conn: Connection, line_id: int, reports: Sequence[StatusReport], now: datetime) -> None:
    """Keep the reports that a line received and settle their parts. Idempotent: a PDU counts once per line."""
    raise NotImplementedError
