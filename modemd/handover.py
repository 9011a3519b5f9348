"""The daemon's hands for billing: takes files from the drop folder, writes results, and raises alarms about both.

All of it runs in a thread of its own, imports in a process of their own, and in transactions of some milliseconds: no
line and no answer waits for it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from modemd.billing import decisions, results, taking
from modemd.billing.dropfolder import DropFolder
from modemd.billing.taking import Order
from modemd.config import Settings
from modemd.messages import AlertKind
from modemd.store import alerts
from modemd.store.database import reading
from modemd.store.freshness import freshness
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # between two looks into the folder
PATIENCE_SECONDS = 30.0  # after a fault
ALARMS_EVERY = timedelta(seconds=10)
BILLING = "billing"  # the subject of the alarms


class HandOver:
    def __init__(self, settings: Settings, engine: Engine, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._host = settings.daemon.name
        self._engine = engine
        self._ledger = ledger
        self._now = now
        self._folder = DropFolder(engine, settings.daemon.data, self._host)
        self._order = Order(
            url=settings.database.url,
            data=str(settings.daemon.data.absolute()),
            host=self._host,
            level=logging.getLogger().level,
        )
        self._every = timedelta(minutes=settings.billing.results_minutes)
        self._results_due: datetime | None = None
        self._alarms_due: datetime | None = None
        self._stopping = threading.Event()
        self._alarms: dict[AlertKind, str | None] = {}

    async def run(self) -> None:
        """Look after the drop folder until cancelled; an import that is under way is broken off and leaves nothing."""
        try:
            while True:
                pause = await self._round()
                await asyncio.sleep(pause)
        finally:
            self._stopping.set()

    async def _round(self) -> float:
        """Do what there is to do; returns how many seconds to wait for the next time."""
        fault = None
        try:
            alarms = await asyncio.to_thread(self._work)
        except (OSError, DBAPIError) as error:
            log.exception("files from billing are not taken; tried again in %s s", PATIENCE_SECONDS)
            fault = f"files are not taken: {error.strerror if isinstance(error, OSError) else 'see the log'}"
            alarms = {}
        for kind, text in {**alarms, AlertKind.HAND_OVER: fault}.items():
            if self._alarms.get(kind) != text:
                self._alarms[kind] = text
                self._ledger.post(alerts.note, alerts.Notice(self._host, BILLING, kind, BILLING, text))
        return PATIENCE_SECONDS if fault else LOOK_SECONDS

    def _work(self) -> dict[AlertKind, str | None]:
        """Returns how it is with what people are told of; nothing where it was looked at a moment ago."""
        now = self._now()
        self._folder.prepare()
        took = self._folder.has_work(now)
        if took and taking.run(self._order, self._stopping) > 0:
            raise OSError(0, "see the log")  # which the process has written itself
        if not took and self._alarms_due is not None and now < self._alarms_due:
            return {}
        self._alarms_due = now + ALARMS_EVERY
        if self._results_due is None or now >= self._results_due:
            results.write(self._engine, self._folder.out, self._host, now)
            self._results_due = now + self._every
        with reading(self._engine) as conn:
            return {AlertKind.DATA_OLD: freshness(conn, now).alarm, **decisions.alarms(conn)}
