"""Ways back that stay in the panel."""

import re

_LOCAL = re.compile(r"/(?![/\\])[^\s\\]*")  # browsers read // and /\ as the beginning of another host


def local(path: str | None, otherwise: str = "/") -> str:
    """The path if it is one of the panel's own, else the other one."""
    return path if path and _LOCAL.fullmatch(path) else otherwise
