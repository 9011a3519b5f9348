"""The composition root: builds the parts, starts them, obeys signals, and stops them in the opposite order."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import uuid
from datetime import UTC, datetime

from sqlalchemy import Engine

from modemd import answering
from modemd.alerts import Alarms
from modemd.balance import Balances
from modemd.campaigns import Campaigns
from modemd.config import Settings
from modemd.errors import DatabaseUnreachable
from modemd.forwards import Forwards
from modemd.gateway import Gateway
from modemd.handover import HandOver
from modemd.modem.bank import Bank
from modemd.notify import notify
from modemd.pace import Pacing
from modemd.retention import Retention
from modemd.service import canned, templates
from modemd.store import alerts, database, leases, lines, snapshots
from modemd.store.hostlock import HostLock
from modemd.store.ledger import Ledger
from modemd.store.wakeup import News, Wakeup
from modemd.watchdog import Watchdog
from modemd.wishes import Wishes

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0002  # between threads: the loop must not wait Python's 5 ms for the writer whenever a byte comes
STOP_SECONDS = 75.0  # what is in the air is waited for: [bank] send_timeout and a little


FAREWELL_SECONDS = 5.0  # for the database to take that we stop
KEEP_SECONDS = 5.0  # between two looks whether the name is still ours


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings) -> None:
    """Run the daemon until SIGTERM or SIGINT. Raises HostNameTaken, DatabaseOutdated … before a modem is touched."""
    sys.setswitchinterval(SWITCH_SECONDS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    templates.check(settings.service)
    canned.check(settings)
    engine = database.connect(settings.database.url)
    database.prepare(engine)
    settings.daemon.data.mkdir(parents=True, exist_ok=True)
    lock = HostLock(engine, settings.daemon.name)
    lock.acquire()
    ledger = Ledger(engine, now)
    await ledger.start()
    try:
        await _serve(settings, engine, ledger, lock, stop)
    finally:
        await ledger.close()
        lock.release()
        engine.dispose()


async def _serve(settings: Settings, engine: Engine, ledger: Ledger, lock: HostLock, stop: asyncio.Event) -> None:
    name = settings.daemon.name
    instance = str(uuid.uuid4())
    await ledger.do(lines.host_started, name, instance, os.getpid(), now())
    await ledger.do(alerts.forget, name, now())
    await ledger.do(snapshots.take_over, now())
    returned = await ledger.do(leases.recover, name, now())
    await ledger.do(answering.rehearse, settings, now())
    log.info("%s: started; back in the queue %s, in doubt %s", name, returned.queued, returned.in_doubt)
    gateway = Gateway(settings, ledger, instance, now)
    bank = Bank(settings, gateway)
    wishes = Wishes(ledger, name, bank.modems, now)
    balances = Balances(settings, ledger, bank.modems, gateway, now)
    campaigns = Campaigns(settings, ledger, now)
    pacing = Pacing(settings.service.answer_seconds, ledger, gateway.slow_bulk, now)

    def look() -> None:
        gateway.queue_changed()
        wishes.look()
        campaigns.look()

    wakeup = Wakeup(settings.database.url, News(ledger, look).hint)
    await wakeup.start()
    watchdog = Watchdog(ledger, (gateway.hangs, bank.hangs), bank.status, notify)
    pumps = [gateway.follow(), gateway.keep_house(), bank.run(), watchdog.run(), _keep_name(lock)]
    at_night, alarms = Retention(settings, engine, now), Alarms(settings, engine, ledger, now)
    pumps += [each.run() for each in (wishes, balances, campaigns, pacing, at_night, alarms)]
    if settings.webhooks.enabled:
        from modemd.webhooks import Webhooks  # its client takes memory that others need not spend

        pumps.append(Webhooks(settings, engine, now).run())
    if settings.mail.lmtp:
        from modemd import lmtp

        pumps.append(lmtp.serve(settings, engine, now))
    if settings.forward:
        pumps.append(Forwards(settings, engine).run())
    if settings.billing.drop_folder:
        pumps.append(HandOver(settings, engine, ledger, now).run())
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(pump) for pump in pumps]
    notify("READY=1")
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()  # a pump that ends by itself is a fault: say which
    finally:
        notify("STOPPING=1")
        log.info("%s: stopping", name)
        await wakeup.close()
        await gateway.stop(STOP_SECONDS)
        await bank.stop()
        stopped.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):  # a database that is away does not keep us: we are missed soon enough
            async with asyncio.timeout(FAREWELL_SECONDS):
                await ledger.do(lines.host_stopped, name, instance, now())
    log.info("%s: stopped", name)


async def _keep_name(lock: HostLock) -> None:
    """Until cancelled. Raises HostNameTaken: a daemon that has lost its name to another must not touch its claims."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        try:
            await asyncio.to_thread(lock.keep)
        except DatabaseUnreachable as error:
            log.debug("the name is not held while the database is away: %s", error)
