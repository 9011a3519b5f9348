"""Lines (SIMs), modems and hosts: the bank as the panel sees it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from modemd.errors import VerbFailed
from modemd.messages import Reason
from modemd.store import history, reasons
from modemd.store.dialects import insert_into, upsert
from modemd.store.modems import ABSENT, absent
from modemd.store.schema import balance, inbox, line, line_rule, modem, part, pin_attempt
from modemd.store.schema import host as host_table

PIN_ROUNDS = 20_000  # 10 ms: a thief of the database needs minutes for the 10,000 PINs, a start-up does not notice


@dataclass(frozen=True, slots=True)
class Sim:
    """What the SIM tells of itself."""

    iccid: str | None
    imsi: str | None


@dataclass(frozen=True, slots=True)
class LineRow:
    id: int
    name: str
    adopted: bool  # False: waits for a technician and takes no messages
    last_reference: int | None


@dataclass(frozen=True, slots=True)
class ModemOverview:
    """One modem as `modemd status` and the panel's first page show it."""

    id: int
    name: str  # of its line, else the port
    host: str
    port: str
    state: str
    state_since: datetime
    reason: str | None
    cause: Reason | None  # the same with its code
    paused: bool  # by a technician, until resumed
    imei: str | None
    iccid: str | None
    manufacturer: str | None
    model: str | None
    firmware: str | None
    imsi: str | None
    operator: str | None
    registration: str | None
    signal_dbm: int | None
    place: str | None  # its USB path
    calls: int  # that were hung up
    storage_used: int | None
    storage_total: int | None
    clock_offset: int | None  # s that the network is ahead of our clock
    ports: str | None  # of its stick: JSON, a list of {"port", "chosen", "why"}
    balance_cents: int | None
    balance_at: datetime | None
    line_id: int | None
    line_new: bool
    sent_today: int  # parts
    received_today: int
    updated_at: datetime


def identify(
    conn: Connection, sim: Sim, host: str, port: str, now: datetime, *, adopt: bool, name: str | None = None
) -> LineRow:
    """The line of this SIM, made if it is seen for the first time. `name` is the one set in [[line]].

    A SIM that tells neither ICCID nor IMSI is known by the place it is in. One that tells more than before is known
    by what it told then.
    """
    row = _known(conn, sim, host, port) or _new(conn, sim, host, port, now, adopt=adopt)
    given = conn.scalar(select(line_rule.c.name).where(line_rule.c.line_id == row.id))  # by a technician
    told = {"iccid": sim.iccid or row.iccid, "imsi": sim.imsi or row.imsi, "name": given or name or row.name}
    if told != {key: getattr(row, key) for key in told}:
        conn.execute(line.update().where(line.c.id == row.id).values(**told))
    return LineRow(row.id, told["name"], row.adopted_at is not None, row.last_reference)


def _identity(sim: Sim, host: str, port: str) -> str:
    if sim.iccid:
        return f"iccid:{sim.iccid}"
    return f"imsi:{sim.imsi}" if sim.imsi else f"port:{host}:{port}"


def _known(conn: Connection, sim: Sim, host: str, port: str) -> Row[Any] | None:
    by_identity = line.c.identity == _identity(sim, host, port)
    told = [column == value for column, value in ((line.c.iccid, sim.iccid), (line.c.imsi, sim.imsi)) if value]
    return conn.execute(select(line).where(or_(by_identity, *told)).order_by(by_identity.desc(), line.c.id)).first()


def _new(conn: Connection, sim: Sim, host: str, port: str, now: datetime, *, adopt: bool) -> Row[Any]:
    row = {
        "identity": _identity(sim, host, port),
        "name": "",
        "iccid": sim.iccid,
        "imsi": sim.imsi,
        "new": True,
        "adopted_at": now if adopt else None,
        "created_at": now,
    }
    line_id = conn.execute(line.insert().returning(line.c.id), row).scalar_one()
    named = line.update().where(line.c.id == line_id).values(name=f"gsm{line_id}").returning(line)
    return conn.execute(named).one()


def hash_pin(sim: str, pin: str) -> str:
    """What is kept of a PIN: slow to reverse, and different for each SIM."""
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), sim.encode(), PIN_ROUNDS).hex()


def pin_may_be_tried(conn: Connection, sim: str, pin_hash: str, now: datetime) -> bool:
    """True once for each SIM and PIN; commit before the attempt (rule 7)."""
    attempt = insert_into(conn, pin_attempt).on_conflict_do_nothing().returning(pin_attempt.c.sim)
    return conn.scalar(attempt, {"sim": sim, "pin_hash": pin_hash, "at": now}) is not None


def pin_accepted(conn: Connection, sim: str, pin_hash: str) -> None:
    """The SIM took it: no longer a try, so that it may be entered again after the next power cut."""
    conn.execute(pin_attempt.delete().where(pin_attempt.c.sim == sim, pin_attempt.c.pin_hash == pin_hash))


def host_started(conn: Connection, name: str, instance: str, pid: int, now: datetime) -> None:
    """A daemon starts: `instance` is new at each start. Its modems are absent until they report."""
    row = {"name": name, "instance": instance, "pid": pid, "started_at": now, "seen_at": now, "stopped_at": None}
    upsert(conn, host_table, [row], ["name"])
    _modems_absent(conn, name, now)


def host_seen(conn: Connection, name: str, instance: str, now: datetime) -> None:
    """The daemon lives. Raises VerbFailed if another instance has taken its name."""
    _write_host(conn, name, instance, seen_at=now)


def host_stopped(conn: Connection, name: str, instance: str, now: datetime) -> None:
    """The daemon stops in good order; its modems are absent."""
    _write_host(conn, name, instance, seen_at=now, stopped_at=now)
    _modems_absent(conn, name, now)


def _write_host(conn: Connection, name: str, instance: str, **columns: datetime) -> None:
    own = host_table.update().where(host_table.c.name == name, host_table.c.instance == instance)
    if conn.execute(own.values(**columns)).rowcount != 1:
        raise VerbFailed(reason=f"another daemon has taken the name {name}")


def _modems_absent(conn: Connection, host: str, now: datetime) -> None:
    gone = absent(Reason("the daemon is not running", "DaemonStopped"), now)
    history.all_absent(conn, host, gone)
    conn.execute(modem.update().where(modem.c.host == host, modem.c.state != ABSENT).values(**gone))


def overview(conn: Connection, day_start: datetime) -> list[ModemOverview]:
    """Every modem with its line and what that line has sent and received since `day_start`, by host and port."""
    rows = conn.execute(
        select(
            modem, line.c.name, line.c.iccid, line.c.imsi, line.c.new, line.c.adopted_at, balance.c.cents, balance.c.at
        )
        .join_from(modem, line, isouter=True)
        .join(balance, isouter=True, onclause=balance.c.line_id == line.c.id)
        .order_by(modem.c.host, modem.c.port)
    ).all()
    lines = [row.line_id for row in rows if row.line_id is not None]
    sent = _per_line(conn, select(part.c.line_id, func.count(part.c.sent_at)), part.c.submitted_at >= day_start, lines)
    received = _per_line(conn, select(inbox.c.line_id, func.count()), inbox.c.received_at >= day_start, lines)
    told = set(ModemOverview.__slots__) & set(rows[0]._fields) - {"name", "reason", "cause"} if rows else set()
    return [
        ModemOverview(
            **{column: getattr(row, column) for column in told},
            name=row.name or row.port,
            reason=row.reason or _waits(row),
            cause=reasons.read(row.reason, row.reason_code, row.reason_facts) or _waits(row),
            line_new=bool(row.new),
            balance_cents=row.cents,
            balance_at=row.at,
            sent_today=sent.get(row.line_id, 0),
            received_today=received.get(row.line_id, 0),
        )
        for row in rows
    ]


def _waits(row: Row[Any]) -> Reason | None:
    if row.line_id is None or row.adopted_at is not None:
        return None
    words = f"a SIM seen for the first time: it takes no messages until: modemd line adopt {row.name}"
    return Reason(words, "NotAdopted", line=row.name)


def _per_line(conn: Connection, counted: Any, since: Any, lines: Sequence[int]) -> dict[int, int]:
    line_id = counted.selected_columns[0]
    rows = conn.execute(counted.where(line_id.in_(lines), since).group_by(line_id))
    return {row[0]: row[1] for row in rows}


def names(conn: Connection, line_ids: Sequence[int]) -> dict[int, str]:
    """What people call these lines."""
    return {row.id: row.name for row in conn.execute(select(line.c.id, line.c.name).where(line.c.id.in_(line_ids)))}


def balances(conn: Connection) -> list[tuple[int, int, datetime]]:
    """(line, cents, when it was asked for) of every SIM whose balance is known."""
    return [(row.line_id, row.cents, row.at) for row in conn.execute(select(balance))]


def save_balance(conn: Connection, line_id: int, cents: int, now: datetime) -> None:
    """What the operator says is left on this SIM."""
    upsert(conn, balance, [{"line_id": line_id, "cents": cents, "at": now}], ["line_id"])


@dataclass(frozen=True, slots=True)
class Used:
    """Parts that a line has handed to the network, and may have."""

    today: int
    this_month: int
    recent: Sequence[datetime]  # when, oldest first


def used(conn: Connection, line_id: int, day: datetime, month: datetime, recent: datetime) -> Used:
    """What has left through the line since those times; counted on an index."""
    times = select(part.c.submitted_at).where(part.c.line_id == line_id, part.c.submitted_at > recent)
    in_order = conn.scalars(times.order_by(part.c.submitted_at)).all()
    return Used(_count_since(conn, line_id, day), _count_since(conn, line_id, month), in_order)


def _count_since(conn: Connection, line_id: int, since: datetime) -> int:
    counted = select(func.count()).select_from(part).where(part.c.line_id == line_id, part.c.submitted_at >= since)
    return conn.scalar(counted) or 0
