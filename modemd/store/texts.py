"""Texts that people have changed: how they stand now, and every version that there was."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from modemd.store.dialects import upsert
from modemd.store.schema import template, template_version


@dataclass(frozen=True, slots=True)
class Version:
    """A text as somebody saved it; None: he took back the one that comes with the program."""

    id: int
    text: str | None
    saved_by: str
    saved_at: datetime


_VERSIONS = select(*(template_version.c[name] for name in Version.__slots__))


def changed(conn: Connection) -> Iterator[tuple[str, str, str]]:
    """(name, language, text) of each that is not as it comes with the program."""
    for row in conn.execute(select(template.c.name, template.c.language, template.c.text)):
        yield row.name, row.language, row.text


def save(conn: Connection, name: str, language: str, text: str | None, who: str, now: datetime) -> None:
    """Keep it as the text from now on, and as a version for ever."""
    row = {"name": name, "language": language, "text": text, "saved_by": who, "saved_at": now}
    if text is None:
        conn.execute(template.delete().where(template.c.name == name, template.c.language == language))
    else:
        upsert(conn, template, [row], ["name", "language"])
    conn.execute(template_version.insert(), row)


def versions(conn: Connection, name: str, language: str, limit: int = 100) -> list[Version]:
    """The newest versions of a text, newest first."""
    own = _VERSIONS.where(template_version.c.name == name, template_version.c.language == language)
    return [Version(*row) for row in conn.execute(own.order_by(template_version.c.id.desc()).limit(limit))]
