"""Lines (SIMs), modems and hosts: the bank as the panel sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection


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
class ModemRow:
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


@dataclass(frozen=True, slots=True)
class ModemOverview:
    """One modem as `modemd status` and the panel's first page show it."""

    name: str  # of its line, else the port
    host: str
    port: str
    state: str
    state_since: datetime
    reason: str | None
    imei: str | None
    iccid: str | None
    manufacturer: str | None
    model: str | None
    operator: str | None
    registration: str | None
    signal_dbm: int | None
    line_id: int | None
    line_new: bool
    sent_today: int  # parts
    received_today: int
    updated_at: datetime


def identify(
    conn: Connection, sim: Sim, host: str, port: str, now: datetime, *, adopt: bool, name: str | None = None
) -> LineRow:
    """The line of this SIM, made if it is seen for the first time. `name` is the one set in [[line]]."""
    raise NotImplementedError


def save_modems(conn: Connection, rows: Sequence[ModemRow], now: datetime) -> list[None]:
    """Write down how modems are; for Ledger.post."""
    raise NotImplementedError


def hash_pin(sim: str, pin: str) -> str:
    """What is kept of a PIN: slow to reverse, and different for each SIM."""
    raise NotImplementedError


def pin_may_be_tried(conn: Connection, sim: str, pin_hash: str, now: datetime) -> bool:
    """True once for each SIM and PIN; commit before the attempt (rule 7)."""
    raise NotImplementedError


def host_started(conn: Connection, name: str, instance: str, pid: int, now: datetime) -> None:
    """A daemon starts: `instance` is new at each start. Its modems are absent until they report."""
    raise NotImplementedError


def host_seen(conn: Connection, name: str, instance: str, now: datetime) -> None:
    """The daemon lives. Raises VerbFailed if another instance has taken its name."""
    raise NotImplementedError


def host_stopped(conn: Connection, name: str, instance: str, now: datetime) -> None:
    """The daemon stops in good order; its modems are absent."""
    raise NotImplementedError


def overview(conn: Connection, day_start: datetime) -> list[ModemOverview]:
    """Every modem with its line and what that line has sent and received since `day_start`, by host and port."""
    raise NotImplementedError


def sent_since(conn: Connection, line_id: int, since: datetime) -> int:
    """Parts that left through the line, or may have, for its quotas."""
    raise NotImplementedError
