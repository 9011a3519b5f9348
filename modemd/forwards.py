"""SMS that become letters: what came in goes to the addresses of the [[forward]] rules, in order and at least once.

A rule's place in the inbox moves on once the relay has taken a letter; a relay that is down delays nothing else.
"""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from modemd import mail
from modemd.config import Alerts, Forward, Settings
from modemd.service import letters
from modemd.store.database import reading, writing

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
PAUSE_SECONDS = 60.0  # after a relay that did not take a letter
AT_A_TIME = 100


class Forwards:
    def __init__(self, settings: Settings, engine: Engine, send: Callable[..., None] = mail.send) -> None:
        self._relay: Alerts = settings.alerts
        self._rules = settings.forward
        self._engine = engine
        self._send = send
        self._seen = -1

    async def run(self) -> None:
        """Forward until cancelled."""
        while True:
            pause = LOOK_SECONDS
            try:
                await asyncio.to_thread(self.look)
            except OSError as error:  # smtplib's errors are such; what a server says may quote the letter
                log.warning("SMS are not forwarded, tried again in %s s: %s", PAUSE_SECONDS, type(error).__name__)
                pause = PAUSE_SECONDS
            except DBAPIError as error:
                log.warning("what there is to forward is not known: %s", error.orig)
            await asyncio.sleep(pause)

    def look(self) -> None:
        """Forward what is new, rule by rule. Raises OSError where the relay does not take a letter."""
        with reading(self._engine) as conn:
            newest = letters.newest(conn)
        if newest == self._seen:
            return
        for rule in self._rules:
            while self._forward(rule):
                pass
        self._seen = newest

    def _forward(self, rule: Forward) -> bool:
        """A page of the inbox; returns whether there may be more."""
        with writing(self._engine) as conn:
            page = letters.next_letters(conn, rule, AT_A_TIME)
        for letter in page.letters:
            self._send(self._relay, letter.subject, letter.text, to=rule.to)
            self._note(rule, letter.inbox_id)
        self._note(rule, page.up_to)
        return page.more

    def _note(self, rule: Forward, inbox_id: int) -> None:
        with writing(self._engine) as conn:
            letters.forwarded(conn, rule, inbox_id)
