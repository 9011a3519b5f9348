"""`modemd doctor`: what is wrong with this installation and what to do, from the settings to the antenna.

Where a daemon lives, it has the modems and the database tells how they are; where none lives, the ports are looked at
from here. Each check stands alone: what one cannot find out keeps no other from its work.
"""

import asyncio
import http.client
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from modemd import config
from modemd.config import Settings
from modemd.errors import CertificateRefused, ModemdError
from modemd.modem import discovery, models, usb
from modemd.modem.condition import CLOCK_SECONDS, FULL_SHARE
from modemd.modem.probe import Probed, probe_all
from modemd.service import trust
from modemd.service.trust import Trust
from modemd.store import alerts, database, glance, lines
from modemd.store.schema import dataset

WEAK_DBM = -105  # 27.007, 8.5: CSQ 4; below it sends fail now and then
OLD_DATA, TOO_OLD_DATA = timedelta(hours=36), timedelta(hours=48)  # DOMAIN, section 5
PANEL_SECONDS = 3.0
SOON_STALE = timedelta(hours=3)  # the lists are fetched every hour


class Level(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice`: what to do about it, where it is not fine."""

    level: Level
    subject: str
    what: str
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined. Tests put a folder in the place of /proc and /sys."""

    settings: Settings
    now: datetime
    proc: Path = Path("/proc")
    sysfs: Path = Path("/sys")


def examine(path: Path, now: datetime, proc: Path = Path("/proc"), sysfs: Path = Path("/sys")) -> Iterator[Finding]:
    """Everything that is found out about the installation with this settings file, as it is found out."""
    try:
        settings = config.load(path)
    except ModemdError as error:
        yield Finding(Level.ERROR, "settings", str(error), "mend that file; nothing else can be looked at before")
        return
    yield Finding(Level.FINE, "settings", f"{path} is good")
    patient = Patient(settings, now, proc, sysfs)
    for check in (_secret_files, _revocation_lists, _disk, _modem_manager, _sticks, _database, _panel):
        yield from check(patient)


def _secret_files(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    key, how = settings.web.secret_key_file, "modemd setup makes one, or: (umask 077; openssl rand -hex 32 > FILE)"
    if key is None or not key.exists():
        yield Finding(Level.ERROR, "secret key", f"{key or '[web] secret_key_file'} is missing: no panel", how)
    pins = {settings.bank.pin_file, *(line.pin_file for line in settings.line)}
    for file in sorted(filter(None, {key, *pins})):
        if file.exists() and stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO:
            yield Finding(Level.ERROR, str(file), "everybody on this machine may read it", f"chmod o= {file}")
        elif not file.exists() and file != key:
            yield Finding(
                Level.ERROR, str(file), "it does not exist", "write the PIN into it, or take its setting away"
            )


def _revocation_lists(patient: Patient) -> Iterator[Finding]:
    """Of each issuer of people's certificates: with none that is fresh nobody of his comes in."""
    portal, how = patient.settings.portal, "systemctl start modemd-crl, or: modemd kep crl; it says what is wrong"
    if portal.kep_issuers_file is None or portal.kep_crl_folder is None:
        return
    trusted = Trust(portal.kep_issuers_file, portal.kep_crl_folder)
    try:
        issuers = trusted.issuers_of_people
    except CertificateRefused as error:
        yield Finding(Level.ERROR, "КЕП", str(error.facts["reason"]), "put the issuers' certificates there, as PEM")
        return
    for issuer in issuers:
        name = f"КЕП of {trust.name_of(issuer)}"
        ends = [each.next_update_utc for each in trusted.fresh_lists(issuer, patient.now) if each.next_update_utc]
        if not ends:
            yield Finding(Level.ERROR, name, "its revocation list is missing or stale: nobody comes in with it", how)
            continue
        left = max(ends) - patient.now
        hours = left // timedelta(hours=1)
        soon = left < SOON_STALE
        level = Level.WARNING if soon else Level.FINE
        yield Finding(level, name, f"its revocation list is good for {hours} hours more", how if soon else None)


def _disk(patient: Patient) -> Iterator[Finding]:
    file = _sqlite_file(patient.settings)
    for folder in sorted({patient.settings.daemon.data, *([file.parent] if file else [])}):
        if not folder.is_dir():
            yield Finding(Level.ERROR, str(folder), "this folder is missing", "modemd setup makes it")
            continue
        free = shutil.disk_usage(folder).free
        if free < patient.settings.alerts.disk_mib * 2**20:
            what = f"only {free // 2**20} MiB are free where {folder} is"
            yield Finding(Level.ERROR, "disk", what, "make room: without it nothing that comes in can be kept")


def _sqlite_file(settings: Settings) -> Path | None:
    """Where the database is; None where it is a server, or where the URL is none."""
    prefix, _, place = settings.database.url.partition(":///")
    return Path(place) if prefix.startswith("sqlite") and place else None


def _modem_manager(patient: Patient) -> Iterator[Finding]:
    for process in patient.proc.glob("[0-9]*/comm"):
        try:
            name = process.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue  # it has ended
        if name == "ModemManager" and not Path("/etc/udev/rules.d/60-modemd.rules").exists():
            how = "modemd setup installs a udev rule that keeps it away, or: systemctl disable --now ModemManager"
            yield Finding(Level.WARNING, "ModemManager", "it runs and may take the modems' ports for itself", how)


def _sticks(patient: Patient) -> Iterator[Finding]:
    for place in usb.cd_mode(patient.sysfs):
        how = "apt install usb-modeswitch, then unplug it and plug it in again"
        yield Finding(Level.ERROR, f"stick in {place.name}", "it shows itself as a CD drive, not as a modem", how)


def _database(patient: Patient) -> Iterator[Finding]:
    file = _sqlite_file(patient.settings)
    if file is not None and not file.exists():
        yield Finding(
            Level.ERROR, "database", f"{file} does not exist", "modemd run makes it; or correct [database] url"
        )
        yield from _probed(patient)
        return
    try:
        engine = database.connect(patient.settings.database.url)
    except ModemdError as error:
        yield Finding(Level.ERROR, "database", str(error), "correct [database] url, or make that place writable")
        return
    try:
        database.check_revision(engine)
        yield from _writable(engine)
        yield from _in_the_database(engine, patient)
    except ModemdError as error:
        yield Finding(Level.ERROR, "database", str(error), "if it is older than this program: modemd db upgrade")
        yield from _probed(patient)
    finally:
        engine.dispose()


def _writable(engine: Engine) -> Iterator[Finding]:
    try:
        with database.writing(engine) as conn:
            conn.rollback()
    except DBAPIError as error:
        how = "another program holds it (fuser shows which), or this user may not write to it"
        yield Finding(Level.ERROR, "database", f"it takes no write: {error.orig}", how)
    else:
        yield Finding(Level.FINE, "database", f"{database.shown(engine.url)} answers")


def _in_the_database(engine: Engine, patient: Patient) -> Iterator[Finding]:
    name = patient.settings.daemon.name
    with database.reading(engine) as conn:
        running = any(daemon.running and daemon.name == name for daemon in glance.daemons(conn, patient.now))
        told = list(_told(conn, patient)) if running else []
        old = list(_age_of_data(conn, patient.now))
    if running:
        yield Finding(Level.FINE, "daemon", f"{name} runs")
        yield from told
    else:
        yield Finding(Level.ERROR, "daemon", f"{name} does not run", "systemctl start modemd, or: modemd run")
        yield from _probed(patient)
    yield from old


def _told(conn: Connection, patient: Patient) -> Iterator[Finding]:
    """What the daemon has written of its modems."""
    own = [modem for modem in lines.overview(conn, patient.now) if modem.host == patient.settings.daemon.name]
    if not own:
        yield from _no_port(patient)
    for modem in own:
        if modem.state != "ready":
            what = f"{modem.state}: {modem.reason or 'no reason is known'}"
            how = None if modem.paused else "what to do stands in the reason; the daemon itself goes on trying"
            yield Finding(Level.WARNING if modem.paused else Level.ERROR, modem.name, what, how)
            continue
        ill = list(
            _condition(modem.name, modem.signal_dbm, modem.storage_used, modem.storage_total, modem.clock_offset)
        )
        yield from ill or [Finding(Level.FINE, modem.name, f"ready, {modem.operator or 'operator unknown'}")]
        yield from _model(modem.name, modem.manufacturer, modem.model)
    for alert in alerts.standing(conn):
        yield Finding(Level.WARNING, alert.name, alert.text, "modemd status shows since when")


def _probed(patient: Patient) -> Iterator[Finding]:
    """What the ports tell by themselves."""
    ports = sorted(discovery.matching(patient.settings.bank.ports))
    if not ports:
        yield from _no_port(patient)
    for found in asyncio.run(probe_all(ports, patient.settings.bank, patient.sysfs)):
        name = Path(found.port).name
        if found.error is not None:
            yield Finding(Level.ERROR, name, str(found.error), "the sentence says what to do")
        else:
            ill = list(_of_probe(name, found))
            yield from ill or [Finding(Level.FINE, name, f"answers, {found.condition.operator or 'operator unknown'}")]


def _of_probe(name: str, found: Probed) -> Iterator[Finding]:
    condition = found.condition
    if not condition.registered:
        how = "check antenna, contract and whether the SIM may use this network"
        yield Finding(Level.ERROR, name, f"in no network ({condition.registration})", how)
    if found.service_centre == "":
        how = 'write its number into the SIM: AT+CSCA="+359…", as the operator names it'
        yield Finding(Level.ERROR, name, "the SIM knows no service centre: nothing can be sent", how)
    places = (condition.storage_used, condition.storage_total)
    yield from _condition(name, condition.signal_dbm, *places, condition.clock_offset)
    yield from _model(name, None, found.model)


def _condition(
    name: str, dbm: int | None, used: int | None, total: int | None, offset: int | None
) -> Iterator[Finding]:
    if dbm is not None and dbm < WEAK_DBM:
        yield Finding(Level.WARNING, name, f"weak signal, {dbm} dBm", "move the antenna or the modem")
    if used is not None and total and used >= FULL_SHARE * total:
        how = "old messages fill it; the daemon empties it, or: AT+CMGD=1,4 in another program"
        yield Finding(Level.WARNING, name, f"{used} of {total} places for messages are taken", how)
    if offset is not None and abs(offset) > CLOCK_SECONDS:
        what = f"the network's clock and this machine's differ by {abs(offset)} s"
        yield Finding(Level.ERROR, "clock", what, "timedatectl set-ntp true")


def _model(name: str, manufacturer: str | None, model: str | None) -> Iterator[Finding]:
    known = models.model_of(manufacturer, model)
    if model and known.doubt:
        what = f"{model} is an unverified model: {known.doubt}"
        yield Finding(Level.WARNING, name, what, "send its transcript to the project if it behaves oddly")


def _no_port(patient: Patient) -> Iterator[Finding]:
    patterns = ", ".join(patient.settings.bank.ports)
    how = "plug a modem in, look at ls /dev/modemd /dev/ttyUSB*, or correct [bank] ports"
    yield Finding(Level.ERROR, "ports", f"nothing matches [bank] ports ({patterns})", how)


def _age_of_data(conn: Connection, now: datetime) -> Iterator[Finding]:
    data_at: datetime | None = conn.scalar(select(dataset.c.data_at).where(dataset.c.type == "OPENITEMS"))
    how = "modemd import takes hand-over files in; ask billing why none came"
    if data_at is None:
        yield Finding(Level.WARNING, "billing data", "there is none", how)
    elif now - data_at > OLD_DATA:
        level = Level.ERROR if now - data_at > TOO_OLD_DATA else Level.WARNING
        hours = round((now - data_at) / timedelta(hours=1))
        yield Finding(level, "billing data", f"it is {hours} hours old", how)


def _panel(patient: Patient) -> Iterator[Finding]:
    web = patient.settings.web
    host = "127.0.0.1" if web.host in ("0.0.0.0", "::") else web.host  # noqa: S104 -- compared # nosec B104
    connection = http.client.HTTPConnection(host, web.port, timeout=PANEL_SECONDS)
    where = str(web.socket or f"http://{host}:{web.port}/")
    try:
        if web.socket is not None:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(PANEL_SECONDS)
            connection.sock.connect(str(web.socket))
        connection.request("GET", "/")
        connection.getresponse()
    except OSError as error:
        how = "systemctl start modemd-web (or modemd-portal), or: modemd web; its log says why it does not"
        yield Finding(Level.WARNING, "panel", f"{where} does not answer: {error.strerror}", how)
    else:
        yield Finding(Level.FINE, "panel", f"{where} answers")
    finally:
        connection.close()


def worst(findings: list[Finding]) -> Level:
    order: Callable[[Finding], int] = lambda finding: list(Level).index(finding.level)  # noqa: E731
    return max(findings, key=order).level if findings else Level.FINE
