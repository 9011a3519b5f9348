"""Letters that become SMS: LMTP (RFC 2033) on loopback or a unix socket, for the mail server of the house alone."""

import asyncio
import logging
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from aiosmtpd.lmtp import LMTP
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from modemd.config import Settings
from modemd.errors import LetterRefused
from modemd.service import letters
from modemd.store.database import writing

log = logging.getLogger(__name__)

PATIENCE = 30.0  # s that a client may be silent


class Door:
    """What aiosmtpd asks of a connection: who may send, to whom, and the letter."""

    def __init__(self, settings: Settings, engine: Engine, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self._now = now

    async def handle_MAIL(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if not letters.may_write(self._settings.mail, address):
            return "550 5.7.1 [mail] senders do not name you"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        try:
            letters.number_of(self._settings.mail, address)
        except LetterRefused as error:
            return f"550 5.1.1 {error}"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """One answer for each recipient, all alike: all are queued, or none."""
        try:
            ids = await asyncio.to_thread(self._queue, envelope)
        except LetterRefused as error:
            answer = f"{'451 4.7.1' if error.later else '554 5.6.0'} {error}"
        except DBAPIError as error:
            log.warning("a letter is not queued; its mail server brings it again: %s", error.orig)
            answer = "451 4.3.0 The database cannot be reached"
        else:
            log.info("a letter is queued as %s messages", len(ids))
            answer = "250 2.0.0 Queued"
        return "\r\n".join([answer] * len(envelope.rcpt_tos))

    def _queue(self, envelope: Any) -> list[int]:
        numbers = [letters.number_of(self._settings.mail, each) for each in envelope.rcpt_tos]
        with writing(self._engine) as conn:
            return letters.queue(conn, envelope.mail_from, numbers, envelope.content, self._settings, self._now())


async def serve(settings: Settings, engine: Engine, now: Callable[[], datetime]) -> None:
    """Take letters in until cancelled. Raises OSError where it cannot listen."""
    door = Door(settings, engine, now)

    def connection() -> LMTP:
        return LMTP(
            door,
            data_size_limit=letters.LONGEST_BODY,
            enable_SMTPUTF8=True,
            hostname="modemd",
            ident="modemd",
            timeout=PATIENCE,
            command_call_limit=100,
        )

    place = settings.mail.lmtp
    loop = asyncio.get_running_loop()
    if place.startswith("/"):
        server = await loop.create_unix_server(connection, sock=_socket(Path(place)))
    else:
        host, _, port = place.rpartition(":")
        server = await loop.create_server(connection, host.strip("[]"), int(port))
    async with server:
        await server.serve_forever()


def _socket(place: Path) -> socket.socket:
    """One that user and group may use: the mail server's user is put into the group.

    It gets its name when it has its mode and listens: whoever sees it can use it.
    """
    begun = place.with_name(f".{place.name}.new")
    begun.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(begun))
    begun.chmod(0o660)
    listening.listen()
    begun.replace(place)
    return listening
