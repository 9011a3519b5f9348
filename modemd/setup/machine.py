"""The machine that modemd is set up on: the real one, or a folder that stands for one."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modemd.errors import SetupRefused

RUNNING_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
RUNNING_UDEV = Path("/run/udev/control")  # in a container it does not run, though its program may be there


@dataclass(frozen=True, slots=True)
class Machine:
    root: Path = Path("/")

    @property
    def real(self) -> bool:
        return self.root == Path("/")

    @property
    def is_root(self) -> bool:
        return os.geteuid() == 0

    @property
    def runs_systemd(self) -> bool:
        return self.real and RUNNING_SYSTEMD.is_dir()

    @property
    def runs_udev(self) -> bool:
        return self.real and RUNNING_UDEV.exists() and shutil.which("udevadm") is not None

    def path(self, absolute: str | Path) -> Path:
        """Where a file of the machine stands for us."""
        return self.root / str(absolute).lstrip("/")

    def run(self, *command: str, given: str | None = None) -> str:
        """What a program of this machine says on stdout. Raises SetupRefused with what it said instead."""
        if shutil.which(command[0]) is None:
            raise SetupRefused(reason=f"{command[0]} is not here; modemd is set up on Debian 12 or newer with systemd")
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupRefused(reason=f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def user_id(self, name: str) -> int:
        """Raises SetupRefused where there is no such user."""
        return pwd.getpwnam(name).pw_uid if self.real else self._id("etc/passwd", name)

    def group_id(self, name: str) -> int:
        """Raises SetupRefused where there is no such group."""
        return grp.getgrnam(name).gr_gid if self.real else self._id("etc/group", name)

    def has_user(self, name: str) -> bool:
        return self._has(self.user_id, name)

    def has_group(self, name: str) -> bool:
        return self._has(self.group_id, name)

    def own(self, path: Path, user: str, group: str, mode: int) -> None:
        os.chown(path, self.user_id(user) if user != "root" else 0, self.group_id(group) if group != "root" else 0)
        os.chmod(path, mode)

    def write(self, path: Path, text: str, user: str, group: str, mode: int) -> None:
        """Put a whole file in place, at no moment readable by others than it shall be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        self.own(beside, user, group, mode)
        beside.replace(path)

    def systemctl(self, *words: str) -> None:
        if self.runs_systemd:
            self.run("systemctl", *words)

    def active_since(self, unit: str) -> float:
        """When systemd has started it, in s since 1970; 0 where it does not run."""
        said = self.run(
            "systemctl", "show", "--timestamp=unix", "-p", "ActiveState", "-p", "ActiveEnterTimestamp", unit
        )
        shown = dict(line.split("=", 1) for line in said.splitlines())
        return float(shown["ActiveEnterTimestamp"].lstrip("@")) if shown["ActiveState"] == "active" else 0.0

    @staticmethod
    def _has(number: Callable[[str], int], name: str) -> bool:
        try:
            number(name)
        except (KeyError, SetupRefused):
            return False
        return True

    def _id(self, table: str, name: str) -> int:
        rows: Sequence[str] = self.path(table).read_text().splitlines() if self.path(table).exists() else ()
        for row in rows:
            fields = row.split(":")
            if fields[0] == name:
                return int(fields[2])
        raise SetupRefused(reason=f"there is no {name} in {self.path(table)}")
