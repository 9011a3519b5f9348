"""Who holds which SIM: a modem gets the line of its SIM, and the line a sender through that modem.

The port's name means nothing: a SIM that moves takes its line along, with name, quota and history. Emulators and clones
show one SIM twice; then the modem that was there first keeps the line, and the other gets one of its own.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from modemd import quota
from modemd.config import Limits, Settings
from modemd.modem.lifecycle import State
from modemd.modem.way import Way
from modemd.quota import Quota
from modemd.sender import Mark, Sender
from modemd.stagger import Stagger
from modemd.store import lines, modems
from modemd.store.ledger import Ledger
from modemd.store.lines import Sim
from modemd.store.rules import LineRule
from modemd.store.switch import Allowed

log = logging.getLogger(__name__)

IDENTITY_SECONDS = 10.0  # how long a modem waits to hear whether another one holds the same SIM
NO_SIM = Sim(None, None)


class Holders:
    """Which of this host's modems holds a SIM."""

    def __init__(self, ledger: Ledger, host: str) -> None:
        self._ledger = ledger
        self._host = host
        self._owners: dict[Sim, str] = {}
        self._told: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # who it is, since it was at the port
        self._doubles: dict[str, Way] = {}  # by port: those that seem to have another modem's SIM
        self.modems: dict[str, Way] = {}  # by port

    def changed(self, modem: Way) -> None:
        """It has another state; what it told before it was gone does not count any more."""
        self.modems[modem.port] = modem
        if modem.state is State.ABSENT:
            self._told[modem.port].clear()
            self._doubles.pop(modem.port, None)

    async def claim(self, modem: Way) -> Sim:
        """The modem has told its SIM: gives it back, or NO_SIM when that is another modem's."""
        self._told[modem.port].set()
        self._doubles.pop(modem.port, None)
        sim = _sim_of(modem)
        if await self._owner_of(sim, modem.port) == modem.port:
            return sim
        self._doubles[modem.port] = modem
        return NO_SIM

    async def freed(self, by: Way) -> list[Way]:
        """Those that seemed to have another's SIM, now that `by` turns out to have a different one."""
        doubles = [other for other in self._doubles.values() if other is not by]
        return [other for other in doubles if await self._owner_of(_sim_of(other), other.port) == other.port]

    async def _owner_of(self, sim: Sim, port: str) -> str:
        """The port whose modem has the SIM's line; `port` itself unless another one is known to hold it."""
        if sim == NO_SIM:
            return port
        before = await self._ledger.do(modems.port_of_sim, self._host, sim.iccid, sim.imsi)
        if before is not None and before in self.modems and self.modems[before].state is not State.ABSENT:
            with contextlib.suppress(TimeoutError):  # it had this SIM before: let it speak first
                await asyncio.wait_for(self._told[before].wait(), IDENTITY_SECONDS)
        for owner in (self._owners.get(sim), before):
            if owner is not None and self._has(owner, sim):
                self._owners[sim] = owner
                return owner
        self._owners[sim] = port
        return port

    def _has(self, port: str, sim: Sim) -> bool:
        modem = self.modems.get(port)
        return modem is not None and self._told[port].is_set() and _sim_of(modem) == sim


class Lines:
    """The lines that this daemon sends through, each with its sender, its limits and its preferences."""

    def __init__(
        self, settings: Settings, ledger: Ledger, now: Callable[[], datetime], marks: Mapping[str, Mark]
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._now = now
        self._marks = marks
        self._stagger = Stagger()
        self._bulk_share = 1.0
        self._host = settings.daemon.name
        self._holders = Holders(ledger, self._host)
        self._senders: dict[int, Sender] = {}
        self._pumps: dict[int, asyncio.Task[None]] = {}  # of each line's sender, or of the last that it had
        self._ending: set[asyncio.Task[None]] = set()  # pumps of senders that begin nothing more
        self._starting = asyncio.Lock()
        self._allowed = Allowed.ALL
        self._rules: dict[int, LineRule] = {}

    def sender_of(self, line_id: int) -> Sender | None:
        return self._senders.get(line_id)

    def any_ready(self) -> bool:
        return any(modem.state is State.READY for modem in self._holders.modems.values())

    def hangs(self) -> str | None:
        """A line whose sender's pump is dead."""
        dead = [line_id for line_id in self._senders if self._pumps[line_id].done()]
        return f"nothing sends through line {dead[0]} any more" if dead else None

    async def stop(self, seconds: float) -> None:
        """Begin nothing more and wait at most `seconds` for what is in the air."""
        for sender in self._senders.values():
            sender.stop()
        pumps = {*self._pumps.values(), *self._ending}
        if pumps:
            await asyncio.wait(pumps, timeout=seconds)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    # who is there

    async def identified(self, modem: Way) -> list[Way]:
        """Give the modem the line of its SIM; gives the others that have another line by this."""
        await self._seat(modem)
        moved = await self._holders.freed(modem)
        for other in moved:
            await self._seat(other)
        return moved

    async def _seat(self, modem: Way) -> None:
        sim = await self._holders.claim(modem)
        own = self._settings.line_of(modem.port, modem.imei, modem.iccid)
        row = await self._ledger.do(
            lines.identify,
            sim,
            self._host,
            modem.port,
            self._now(),
            adopt=self._settings.bank.adopt,
            name=own.name if own else None,
        )
        modem.line_id, modem.line_name = row.id, row.name
        for line_id, sender in list(self._senders.items()):
            if sender.modem is modem and line_id != row.id:  # the SIM that was in it sends through it no more
                self._end_sender(line_id)
        if row.adopted:
            await self._start_sender(modem, row.id)

    def modem_changed(self, modem: Way) -> None:
        """Let its sender begin or stop."""
        self._holders.changed(modem)
        sender = self._senders.get(modem.line_id) if modem.line_id is not None else None
        if sender is not None and sender.modem is modem:
            sender.modem_changed()
            self._share_out()

    # what people want

    def queue_changed(self) -> None:
        for sender in self._senders.values():
            sender.queue_changed()

    def allow(self, allowed: Allowed) -> None:
        """The switch stands here (rule 13)."""
        if allowed is not self._allowed:
            log.warning("sending: %s -> %s", self._allowed, allowed)
        self._allowed = allowed
        for sender in self._senders.values():
            sender.allow(allowed)

    def slow_bulk(self, share: float) -> None:
        """Bulk takes this share of every line's time."""
        self._bulk_share = share
        for sender in self._senders.values():
            sender.slow_bulk(share)

    async def obey(self, rules: Sequence[LineRule]) -> None:
        """Take over what technicians have set for the lines. What fails for one is logged and holds up no other."""
        self._rules = {rule.line_id: rule for rule in rules}
        for modem in list(self._holders.modems.values()):
            try:
                await self._obey(modem)
            except Exception:
                log.exception("%s: what is set for its line is not taken over; tried again in a while", modem.name)
        self._share_out()

    async def _obey(self, modem: Way) -> None:
        """Take over what a technician has set for the modem's line, and adopt it if he has."""
        rule = self._rules.get(modem.line_id) if modem.line_id is not None else None
        if rule is None:
            return
        if modem.line_name != rule.name:
            log.info("%s: is called %s from now on", modem.name, rule.name)
            modem.line_name = rule.name
        if rule.adopted and rule.line_id not in self._senders and modem.state is not State.ABSENT:
            await self._start_sender(modem, rule.line_id)
        sender = self._senders.get(rule.line_id)
        if sender is not None and sender.modem is modem:
            sender.limit(self._limits(modem))

    def _share_out(self) -> None:
        """Let the lines of this daemon leave to each other what one of them prefers and can send."""
        able = {
            line_id: rule.prefixes
            for line_id, rule in self._rules.items()
            if rule.prefixes and line_id in self._senders and self._senders[line_id].may_send()
        }
        for line_id, sender in self._senders.items():
            others = [prefix for other, prefixes in able.items() if other != line_id for prefix in prefixes]
            sender.prefer(able.get(line_id, ()), tuple(others))

    # their senders

    async def _start_sender(self, modem: Way, line_id: int) -> None:
        async with self._starting:
            current = self._senders.get(line_id)
            if current is not None and current.modem is modem and not self._pumps[line_id].done():
                return
            before = self._end_sender(line_id)
            allotted = await self._quota(modem, line_id)
            sender = Sender(
                modem, line_id, allotted, self._ledger, self._settings, self._now, self._marks, self._stagger
            )
            sender.allow(self._allowed)
            sender.slow_bulk(self._bulk_share)
            self._senders[line_id] = sender
            pump = _run_after(before, sender)
            self._pumps[line_id] = asyncio.get_running_loop().create_task(pump, name=f"send {modem.name}")
            sender.queue_changed()

    def _end_sender(self, line_id: int) -> asyncio.Task[None] | None:
        """Let the line's sender, if any, begin nothing more; gives its pump, which ends with what is in the air."""
        sender, pump = self._senders.pop(line_id, None), self._pumps.get(line_id)
        if sender is not None:
            sender.stop()
        if pump is not None and not pump.done():
            self._ending.add(pump)
            pump.add_done_callback(self._ending.discard)
        return pump

    async def _quota(self, modem: Way, line_id: int) -> Quota:
        now = self._now()
        used = await self._ledger.do(
            lines.used, line_id, quota.day_start(now), quota.month_start(now), now - quota.MINUTE
        )
        return Quota(
            self._limits(modem),
            self._settings.bank.answer_reserve,
            now,
            today=used.today,
            this_month=used.this_month,
            recent=used.recent,
        )

    def _limits(self, modem: Way) -> Limits:
        """What a technician has set wins over the settings."""
        limits = self._settings.limits_of(modem.port, modem.imei, modem.iccid)
        rule = self._rules.get(modem.line_id) if modem.line_id is not None else None
        return limits if rule is None else limits.but(rule.per_minute, rule.per_day, rule.per_month)


def _sim_of(modem: Way) -> Sim:
    return Sim(modem.iccid, modem.imsi)


async def _run_after(before: asyncio.Task[None] | None, sender: Sender) -> None:
    """Send when the line's last sender is done: at most one part of a line is in the air."""
    if before is not None:
        await asyncio.wait([before])
    await sender.run()
