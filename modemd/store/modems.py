"""The modems' rows. A modem is known by its IMEI, wherever it is plugged in; until it has told it, by its port."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, or_, select

from modemd.messages import Reason
from modemd.store import history, reasons
from modemd.store.schema import line, modem, wish

ABSENT, STARTING = "absent", "starting"
_ELSEWHERE = (ABSENT, STARTING)  # a row in such a state is nobody's proof that its modem is where it says
_TELLING = ("ready", "unregistered")  # states in which its signal is known
# What stays known while the modem does not tell.
_KEPT = frozenset({"imei", "manufacturer", "model", "firmware", "place", "line_id"})


@dataclass(frozen=True, slots=True)
class ModemRow:
    """How a modem is now. `imei` is None until it has told it since its port was opened."""

    host: str
    port: str
    line_id: int | None
    state: str
    state_since: datetime
    reason: str | None = None
    imei: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    operator: str | None = None
    registration: str | None = None
    signal_dbm: int | None = None
    place: str | None = None
    storage_used: int | None = None
    storage_total: int | None = None
    clock_offset: int | None = None
    ports: str | None = None  # JSON


@dataclass(frozen=True, slots=True)
class Named:
    """A modem that answers to a name given by a person."""

    id: int
    host: str
    port: str
    name: str


def save(conn: Connection, rows: Sequence[ModemRow], now: datetime) -> list[None]:
    """Write down how modems are, in the order in which they said so. For Ledger.post.

    A modem that comes back at another port keeps its row. When two live ones claim one IMEI, the port tells them apart.
    """
    for row in rows:
        values = {key: value for key, value in asdict(row).items() if value is not None or key not in _KEPT}
        values |= {**reasons.columns(row.reason, "reason"), "updated_at": now}
        found = _seat(conn, row, now)
        if found is None and row.state == ABSENT and row.imei is not None and _with_imei(conn, row):
            continue  # it has moved away already
        before = None
        if found is not None:
            before = conn.scalar(select(modem.c.state).where(modem.c.id == found))
            conn.execute(modem.update().where(modem.c.id == found), values)
        else:
            found = int(conn.execute(modem.insert().returning(modem.c.id), values).scalar_one())
        if before != row.state:
            history.moved(conn, found, values, now)
        history.sample(conn, found, row.signal_dbm if row.state in _TELLING else None, now)
    return [None] * len(rows)


def _seat(conn: Connection, row: ModemRow, now: datetime) -> int | None:
    """The id of the row that this modem has."""
    here = conn.execute(
        select(modem).where(modem.c.host == row.host, modem.c.port == row.port).order_by(modem.c.updated_at.desc())
    ).all()
    if row.imei is None:
        return here[0].id if here else None  # whoever was here last, until it says otherwise
    for each in here:
        if each.imei == row.imei:
            return int(each.id)
    nameless = next((each.id for each in here if each.imei is None), None)
    for each in here:
        if each.imei is not None and each.state != ABSENT:
            _leave(conn, each.id, now)
    moved = next((each.id for each in _with_imei(conn, row) if each.state in _ELSEWHERE), None)
    if moved is None:
        return nameless
    if nameless is not None:
        conn.execute(wish.update().where(wish.c.modem_id == nameless).values(modem_id=moved))
        history.give(conn, nameless, int(moved))
        conn.execute(modem.delete().where(modem.c.id == nameless))
    return int(moved)


def _with_imei(conn: Connection, row: ModemRow) -> Sequence[Row[Any]]:
    return conn.execute(
        select(modem).where(modem.c.host == row.host, modem.c.imei == row.imei).order_by(modem.c.updated_at.desc())
    ).all()


def _leave(conn: Connection, modem_id: int, now: datetime) -> None:
    gone = absent(Reason("another modem is at its port", "PortTaken"), now)
    conn.execute(modem.update().where(modem.c.id == modem_id), gone)
    history.moved(conn, modem_id, gone, now)


def absent(reason: Reason, now: datetime) -> dict[str, Any]:
    """The columns of a modem that is not there any more."""
    return {
        "state": ABSENT,
        "state_since": now,
        "updated_at": now,
        "reason": reason,
        **reasons.columns(reason, "reason"),
    }


def named(conn: Connection, name: str) -> list[Named]:
    """The modems with this line name, port (with or without its folder), IMEI or USB path."""
    rows = conn.execute(
        select(modem.c.id, modem.c.host, modem.c.port, modem.c.imei, modem.c.place, line.c.name)
        .join_from(modem, line, isouter=True)
        .order_by(modem.c.host, modem.c.port)
    ).all()
    return [
        Named(row.id, row.host, row.port, row.name or row.port)
        for row in rows
        if name in (row.name, row.port, row.port.rpartition("/")[2], row.imei, row.place)
    ]


def pause(conn: Connection, host: str, port: str, paused: bool) -> None:
    """Remember that a technician has paused or resumed the modem that is at this port: a restart does not change it."""
    at_port = select(modem.c.id).where(modem.c.host == host, modem.c.port == port).order_by(modem.c.updated_at.desc())
    conn.execute(modem.update().where(modem.c.id == at_port.limit(1).scalar_subquery()).values(paused=paused))


def known(conn: Connection, host: str, port: str, imei: str | None) -> tuple[bool, bool]:
    """(paused, has told an IMEI) of the modem with this IMEI or, while that is unknown, of the one last at the port."""
    which = modem.c.imei == imei if imei else modem.c.port == port
    found = select(modem.c.paused, modem.c.imei).where(modem.c.host == host, which).order_by(modem.c.updated_at.desc())
    row = conn.execute(found).first()
    return (row.paused, row.imei is not None) if row is not None else (False, False)


class Call(NamedTuple):
    """One that was hung up."""

    host: str
    port: str


def calls_hung_up(conn: Connection, calls: Sequence[Call], _now: datetime) -> list[None]:
    """Count calls. For Ledger.post."""
    for call in calls:
        at_port = modem.update().where(modem.c.host == call.host, modem.c.port == call.port, modem.c.state != ABSENT)
        conn.execute(at_port.values(calls=modem.c.calls + 1))
    return [None] * len(calls)


def port_of_sim(conn: Connection, host: str, iccid: str | None, imsi: str | None) -> str | None:
    """The port at which this host has last seen the SIM."""
    told = [column == value for column, value in ((line.c.iccid, iccid), (line.c.imsi, imsi)) if value]
    if not told:
        return None
    seen = select(modem.c.port).join_from(modem, line).where(modem.c.host == host, or_(*told))
    return conn.scalar(seen.order_by(modem.c.updated_at.desc()))


def any_ready(conn: Connection) -> bool:
    """Whether some modem could send now."""
    return conn.scalar(select(modem.c.id).where(modem.c.state == "ready").limit(1)) is not None
