"""What turns a Debian machine into one that runs modemd, step by step; each can be looked at, done again and undone."""

import re
import secrets
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, make_url

from modemd import backup
from modemd.errors import SetupRefused
from modemd.setup import sample, shipped
from modemd.setup.machine import Machine
from modemd.store import database, staff

SETTINGS = "/etc/modemd/modemd.toml"
SECRET_KEY = "/etc/modemd/secret_key"  # noqa: S105 -- a path
DATA = "/var/lib/modemd"
BACKUPS = "/var/backups/modemd"
DATABASE = f"sqlite:///{DATA}/modemd.db"
UNITS = (
    "modemd.service",
    "modemd-web.service",
    "modemd-portal.service",
    "modemd-api.service",
    "modemd-backup.service",
    "modemd-backup.timer",
    "modemd-crl.service",
    "modemd-crl.timer",
)
OPTIONAL = ("modemd-portal.service", "modemd-api.service", "modemd-crl.timer")  # people start what they want
STARTED = ("modemd.service", "modemd-web.service", "modemd-backup.timer")
USERS = ("modemd", "modemd-web")
GROUPS = (*USERS, "modemd-db", "modemd-billing")  # a user's own may go with him
SHIPPED_PROGRAM = "/opt/modemd/bin/modemd"  # as the units name it
PRIVATE_FOLDERS = ("/home", "/root", "/tmp", "/var/tmp")  # noqa: S108 -- hidden by the units # nosec B108


class Found(StrEnum):
    """What a look at the machine finds for a step."""

    MISSING = "missing"
    OTHER = "other"  # there, but not as this program ships it
    THERE = "there"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be there. `apply` makes it so and may say a line; `replaces` is asked about before it is done."""

    what: str
    look: Callable[[], Found]
    apply: Callable[[], str | None]
    replaces: bool = field(default=False)


def plan(machine: Machine, now: datetime, admin: str, program: Path) -> list[Step]:
    """Every step of a set-up, in order. Raises SetupRefused where the services could not start this program."""
    check_program(program)
    steps = [*_people_and_folders(machine), *_files(machine, program), *_database(machine, now, admin)]
    return [*steps, _start(machine, program, steps)]


def check_program(program: Path) -> None:
    """The services see no home and no temporary folder, and not a Python that lies there. Raises SetupRefused."""
    python = program.with_name("python3").resolve()
    for needed in (program, python):
        hidden = next((each for each in PRIVATE_FOLDERS if needed.is_relative_to(each)), None)
        if hidden is not None:
            how = f"/usr/bin/python3 -m venv /opt/modemd && /opt/modemd/bin/pip install . && {SHIPPED_PROGRAM} setup"
            raise SetupRefused(
                reason=f"{needed} is in {hidden}, where services may not look. Install it in /opt: {how}"
            )


def own_program() -> Path:
    """The `modemd` of the environment that this runs in."""
    return Path(sys.prefix) / "bin" / "modemd"


def _people_and_folders(machine: Machine) -> Iterator[Step]:
    def apply_users() -> None:
        machine.run("systemd-sysusers", f"--root={machine.root}", "-", given=shipped.text("systemd/sysusers.conf"))

    def users() -> Found:
        return Found.THERE if all(map(machine.has_user, USERS)) else Found.MISSING

    yield _file(machine, "/etc/sysusers.d/modemd.conf", shipped.text("systemd/sysusers.conf"))
    yield Step("users modemd and modemd-web, group modemd-db", users, apply_users)

    def apply_folders() -> None:
        command = ("systemd-tmpfiles", f"--root={machine.root}", "--create", "-")
        machine.run(*command, given=shipped.text("systemd/tmpfiles.conf"))

    def folders() -> Found:
        named = re.findall(r"^d (\S+)", shipped.text("systemd/tmpfiles.conf"), re.MULTILINE)
        there = all(machine.path(each).is_dir() for each in named)
        return Found.THERE if there else Found.MISSING

    yield _file(machine, "/etc/tmpfiles.d/modemd.conf", shipped.text("systemd/tmpfiles.conf"))
    yield Step(f"folders /etc/modemd, {DATA} and {BACKUPS}", folders, apply_folders)


def _files(machine: Machine, program: Path) -> Iterator[Step]:
    text = sample.settings(database__url=DATABASE, web__secret_key_file=SECRET_KEY)
    yield _file(machine, SETTINGS, text, group="modemd-db", mode=0o640, keep=True)
    key = secrets.token_hex(32) + "\n"
    yield _file(machine, SECRET_KEY, key, group="modemd-web", mode=0o440, keep=True)
    yield _file(machine, "/etc/udev/rules.d/60-modemd.rules", shipped.text("udev/60-modemd.rules"))
    for name in UNITS:
        unit = shipped.text(f"systemd/{name}").replace(SHIPPED_PROGRAM, str(program))
        yield _file(machine, f"/etc/systemd/system/{name}", unit)


def _file(
    machine: Machine, path: str, text: str, *, group: str = "root", mode: int = 0o644, keep: bool = False
) -> Step:
    """A file with this text; one that people write in is kept as it is."""
    place = machine.path(path)

    def look() -> Found:
        if not place.exists():
            return Found.MISSING
        return Found.THERE if keep or place.read_text(encoding="utf-8") == text else Found.OTHER

    def apply() -> str | None:
        old = place.with_name(f"{place.name}.old") if place.exists() else None
        if old is not None:
            shutil.copy2(place, old)
        machine.write(place, text, "root", group, mode)
        return f"what was there is in {old}" if old else None

    return Step(path, look, apply, replaces=True)


def _database(machine: Machine, now: datetime, admin: str) -> Iterator[Step]:
    def look() -> Found:
        place = sqlite_file(machine)
        if place is not None and not place.exists():
            return Found.MISSING
        with _opened(machine) as engine:
            before, needed = database.revisions(engine)
        return Found.THERE if before == needed else Found.OTHER if before else Found.MISSING

    def apply() -> str | None:
        place = sqlite_file(machine)
        said = None
        machine.systemctl("stop", *STARTED)
        with _opened(machine) as engine:
            if database.revisions(engine)[0] is not None:
                kept = backup.make(engine, machine.path(BACKUPS), now)
                machine.own(kept, "modemd", "modemd", 0o600)
                said = f"what was there is in {kept}"
            database.upgrade(engine)
        if place is not None:
            machine.own(place, "modemd", "modemd-db", 0o660)
        return said

    def has_admin() -> Found:
        if look() is not Found.THERE:
            return Found.MISSING
        with _opened(machine) as engine, database.reading(engine) as conn:
            return Found.THERE if staff.has_admin(conn) else Found.MISSING

    def add_admin() -> str:
        with _opened(machine) as engine, database.writing(engine) as conn:
            password = staff.add(conn, admin, staff.Role.ADMIN, now)
        return f"sign in to the panel as {admin} with the one-time password {password}"

    yield Step("database", look, apply, replaces=True)
    yield Step("a first admin of the panel", has_admin, add_admin)


def _start(machine: Machine, program: Path, before: Sequence[Step]) -> Step:
    """Start what is set up; what runs already is started anew only if anything before it or the program is new."""

    def look() -> Found:
        if not machine.runs_systemd:
            return Found.THERE
        as_it_is = all(step.look() is Found.THERE for step in before)
        installed = program.stat().st_mtime
        runs = as_it_is and all(machine.active_since(unit) > installed for unit in STARTED)
        return Found.THERE if runs else Found.MISSING

    def apply() -> str:
        if machine.runs_udev:
            machine.run("udevadm", "control", "--reload")
            machine.run("udevadm", "trigger", "--subsystem-match=usb", "--subsystem-match=tty")
        machine.systemctl("daemon-reload")
        machine.systemctl("enable", *STARTED)
        machine.systemctl("restart", *STARTED)
        return "look at them with: systemctl status modemd modemd-web"

    return Step(f"started: {', '.join(STARTED)}", look, apply)


def remove(machine: Machine, *, data: bool) -> Iterator[str]:
    """Take the services away, and with `data` everything that they have; gives each thing that went."""
    there = [each for each in (*STARTED, *OPTIONAL) if machine.path(f"/etc/systemd/system/{each}").exists()]
    if there:
        machine.systemctl("disable", "--now", *there)
    paths = [f"/etc/systemd/system/{name}" for name in UNITS]
    paths += ["/etc/udev/rules.d/60-modemd.rules", "/etc/sysusers.d/modemd.conf", "/etc/tmpfiles.d/modemd.conf"]
    for path in map(machine.path, paths):
        if path.exists():
            path.unlink()
            yield str(path)
    machine.systemctl("daemon-reload")
    if not data:
        return
    for path in map(machine.path, ("/etc/modemd", DATA, BACKUPS)):
        if path.exists():
            shutil.rmtree(path)
            yield str(path)
    prefix = () if machine.real else ("--prefix", str(machine.root))
    for user in filter(machine.has_user, USERS):
        machine.run("userdel", *prefix, user)
        yield f"user {user}"
    for group in filter(machine.has_group, GROUPS):
        machine.run("groupdel", *prefix, group)
        yield f"group {group}"


def sqlite_file(machine: Machine) -> Path | None:
    """Where the settings' SQLite file stands for us; None where the database is a server."""
    url = make_url(_database_url(machine))
    return machine.path(url.database or "") if url.get_backend_name() == "sqlite" else None


@contextmanager
def _opened(machine: Machine) -> Iterator[Engine]:
    place = sqlite_file(machine)
    engine = database.connect(_database_url(machine) if place is None else f"sqlite:///{place}")
    try:
        yield engine
    finally:
        engine.dispose()


def _database_url(machine: Machine) -> str:
    place = machine.path(SETTINGS)
    if not place.exists():
        return DATABASE
    try:
        return str(tomllib.loads(place.read_text(encoding="utf-8")).get("database", {}).get("url", DATABASE))
    except tomllib.TOMLDecodeError as error:
        raise SetupRefused(reason=f"{place} cannot be read: {error}") from error
