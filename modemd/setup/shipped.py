"""The units, rules and fragments that come with the program: in the wheel, or beside the package in a checkout."""

from pathlib import Path

import modemd
from modemd.errors import SetupRefused

PACKAGE = Path(modemd.__file__).parent


def text(name: str) -> str:
    """The text of `systemd/modemd.service`, `udev/60-modemd.rules` … Raises SetupRefused if it did not come along."""
    for place in (PACKAGE / "shipped", PACKAGE.parent):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8")
    raise SetupRefused(reason=f"{name} did not come with this program; install modemd anew")
