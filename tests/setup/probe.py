"""Run in a service's place, in its sandbox: says as JSON what it could do there."""

import errno
import json
import os
import socket
import sys
from collections.abc import Callable

MODEMS = {"ttyUSB": (188, 9), "ttyACM": (166, 9), "usb_device": (189, 0)}  # major and minor number
DEVICES = {**MODEMS, "ttyS": (4, 64), "kmsg": (1, 11), "mem": (1, 1)}
FOLDERS = (
    *("/etc", "/etc/modemd", "/opt/modemd", "/usr", "/home", "/root", "/run", "/run/modemd"),
    *("/var/lib/modemd", "/var/lib/modemd/crl", "/var/backups/modemd"),
)
FILES = ("/etc/modemd/modemd.toml", "/etc/modemd/secret_key", "/var/lib/modemd/modemd.db")


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


def opened(path: str) -> str:
    return outcome(lambda: os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)))


def written(folder: str) -> str:
    path = f"{folder}/probe"
    why = outcome(lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY)))
    if not why:
        os.unlink(path)
    return why


def could() -> dict[str, object]:
    """`devices`: those whose driver would be asked. The others: what is allowed."""
    return {
        "devices": [name for name in DEVICES if opened(f"/srv/devices/{name}") in ("", "ENXIO", "ENODEV")],
        "writes": [folder for folder in FOLDERS if not written(folder)],
        "reads": [path for path in FILES if not outcome(lambda path=path: open(path).close())],
        "sysfs": not os.statvfs("/sys/devices").f_flag & os.ST_RDONLY,
        "netlink": not outcome(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
        "raw": not outcome(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "tmp": os.listdir("/tmp"),
    }


if __name__ == "__main__":
    json.dump(could(), sys.stdout)
