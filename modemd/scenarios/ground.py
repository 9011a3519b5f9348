"""What stands before anybody texts: a host, its lines and modems, and the files that billing has handed over."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection

from modemd.store.schema import consent_text, dataset, export_file, host, import_file, line, modem

HOST = "gsm-host-1"
CUSTOMERS, OPENITEMS = 1, 2  # import_file.id: the generations of the rows
TEXT = 1  # consent_text.id
TOLD = 1  # export_file.id of the REGISTRATIONS file that has told billing of every consent
_OPERATORS = ("A1", "Vivacom", "Yettel")
_CONSENT = (
    "Титуляр съм или съм упълномощен и ползвам този телефон. Който го държи, ще вижда сумите. SMS до 170077 е по"
    " тарифата ми; известията са безплатни. Отказ: STOP, портал, център."
)


def lay(conn: Connection, lines: int, customers: int, open_items: int, end: datetime) -> list[int]:
    """Write it all as of `end`; returns the ids of the lines."""
    stopped = {"started_at": end - timedelta(days=9), "seen_at": end, "stopped_at": end}
    conn.execute(host.insert(), {"name": HOST, "instance": "scenario", "pid": 1, **stopped})
    ids = [_line(conn, at, end) for at in range(lines)]
    conn.execute(consent_text.insert(), {"id": TEXT, "version": "2021-1", "text": _CONSENT})
    told = {"id": TOLD, "type": "REGISTRATIONS", "seq": 1, "rows": customers, "host": HOST, "at": end}
    conn.execute(export_file.insert(), {**told, "written_at": end})
    _handed_over(conn, CUSTOMERS, "CUSTOMERS", customers, end)
    _handed_over(conn, OPENITEMS, "OPENITEMS", open_items, end)
    return ids


def _line(conn: Connection, at: int, end: datetime) -> int:
    operator = _OPERATORS[at % len(_OPERATORS)]
    iccid = f"893590{at:013}"
    row = {
        "identity": f"iccid:{iccid}",
        "name": f"{operator} {at // len(_OPERATORS) + 1}",
        "iccid": iccid,
        "new": False,
        "adopted_at": end - timedelta(days=900),
        "created_at": end - timedelta(days=900),
    }
    line_id: int = conn.execute(line.insert().returning(line.c.id), row).scalar_one()
    port = {"host": HOST, "port": f"/dev/modemd/usb-1.{at + 1}", "line_id": line_id, "imei": f"35000000{at:07}"}
    state = {"state": "absent", "state_since": end, "reason": "the daemon is not running", "updated_at": end}
    conn.execute(modem.insert(), {**port, **state, "operator": operator, "signal_dbm": -71})
    return line_id


def _handed_over(conn: Connection, file_id: int, type_: str, rows: int, end: datetime) -> None:
    name = f"{type_.lower()}-0001.csv"
    row = {
        "id": file_id,
        "type": type_,
        "source": "scenario",
        "seq": 1,
        "mode": "FULL",
        "name": name,
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "data_at": end,
        "rows": rows,
        "rejected": 0,
        "open_cents": 0,
        "state": "imported",
        "at": end,
    }
    conn.execute(import_file.insert(), row)
    conn.execute(dataset.insert(), {"type": type_, "generation": file_id, "data_at": end})
