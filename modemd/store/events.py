"""One line in the log for each thing that happens to a message: words and ids, nothing of a person (rule 12).

A verb notes what it does; whoever commits tells it afterwards, so that no line speaks of what was rolled back.

    event=received inbox=7 line=2
    event=queued message=12 kind=reply inbox=7
    event=sending message=12 part=14 line=2
    event=sent message=12 part=14 reference=91
    event=delivered message=12 part=14
"""

import logging
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

log = logging.getLogger(__name__)

_noted: WeakKeyDictionary[Connection, list[str]] = WeakKeyDictionary()


def wanted() -> bool:
    """Whether anybody reads them: what nobody reads need not be written."""
    return log.isEnabledFor(logging.INFO)


def note(conn: Connection, *lines: str) -> None:
    """This has happened, if the transaction is committed."""
    if lines and wanted():
        _noted.setdefault(conn, []).extend(lines)


def taken(conn: Connection) -> Sequence[str]:
    """What was noted in the transaction that ends, and forget it."""
    return _noted.pop(conn, ())


def tell(lines: Sequence[str]) -> None:
    """It is committed."""
    if lines:
        log.info("%s", "\n".join(lines))
