"""Ways back that stay in the panel."""

import re

_LOCAL = re.compile(r"/(?![/\\])[^\s\\]*")  # browsers read // and /\ as the beginning of another host


def local(path: str | None) -> str:
    """The path if it is one of the panel's own, else the first page."""
    return path if path and _LOCAL.fullmatch(path) else "/"
