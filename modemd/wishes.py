"""Obeys what technicians want of this host's modems: rows of `wish`, written by the panel or the command line."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from modemd.errors import ModemdError, NotPlugged, Unsettled
from modemd.messages import Reason
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.store import modems, wishes
from modemd.store.ledger import Ledger
from modemd.store.schema import WishState, WishVerb
from modemd.store.wishes import Wish

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1  # between two looks, however often the database changes
OBEY_SECONDS = 150.0  # a message in the air, then a reset and a start
WELL = (State.READY, State.UNREGISTERED, State.PAUSED)


class Wishes:
    def __init__(self, ledger: Ledger, host: str, bank: Mapping[str, Modem], now: Callable[[], datetime]) -> None:
        """`bank`: the modems by their ports."""
        self._ledger = ledger
        self._host = host
        self._bank = bank
        self._now = now
        self._look = asyncio.Event()
        self._look.set()

    def look(self) -> None:
        """There may be new ones."""
        self._look.set()

    async def run(self) -> None:
        """Obey until cancelled. No wish waits for another: one modem may take a minute."""
        await self._forsake()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._look.wait()
                self._look.clear()
                for wish in await self._take():
                    tasks.create_task(self._answer(wish), name=f"wish {wish.id}")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _forsake(self) -> None:
        try:
            await self._ledger.do(wishes.forsake, self._host, self._now())
        except Exception:
            log.exception("the wishes of before cannot be given up: their askers are told nothing")

    async def _take(self) -> list[Wish]:
        try:
            return list(await self._ledger.do(wishes.take, self._host, self._now()))
        except Exception:
            log.exception("wishes cannot be read; tried again when the database changes")
            return []

    async def _answer(self, wish: Wish) -> None:
        state, words = await self._outcome(wish)
        log.info("%s: %s: %s", wish.port, wish.verb, state)
        try:
            await self._ledger.do(wishes.answer, wish.id, state, words, self._now())
        except Exception:
            log.exception("wish %s: its asker is not told", wish.id)

    async def _outcome(self, wish: Wish) -> tuple[WishState, str | Reason]:
        state = WishState.DONE
        words: str | Reason
        try:
            async with asyncio.timeout(OBEY_SECONDS):
                words = await self._obey(wish)
        except ModemdError as error:
            state, words = WishState.REFUSED, Reason.of(error)
        except TimeoutError:
            words = Reason(f"it was not done in {OBEY_SECONDS:g} s", "NotInTime", seconds=OBEY_SECONDS)
            state = WishState.REFUSED
        except Exception as error:
            log.exception("wish %s", wish.id)
            state, words = WishState.REFUSED, Reason(f"an error in modemd: {error}", "OurError")
        return state, words

    async def _obey(self, wish: Wish) -> str:
        """Do it; what there is to say. Raises ModemError when it cannot be done."""
        modem = self._bank.get(wish.port)
        if modem is None:
            raise NotPlugged(port=wish.port)
        match wish.verb:
            case WishVerb.USSD:
                return await modem.ussd(wish.argument or "")
            case WishVerb.SAY:
                return await modem.say(wish.argument or "")
            case WishVerb.TRANSCRIPT:
                return modem.said_last()
            case WishVerb.PIN:
                await modem.new_pin(wish.argument or "")
            case WishVerb.PAUSE:
                await self._ledger.do(modems.pause, self._host, wish.port, True)
                await modem.pause()
            case WishVerb.RESUME:
                await self._ledger.do(modems.pause, self._host, wish.port, False)
                await modem.resume()
            case WishVerb.RESTART:
                await modem.restart()
            case WishVerb.RESET:
                await modem.reset()
        return await self._came_to(modem)

    async def _came_to(self, modem: Modem) -> str:
        """How the modem is once it has settled."""
        state = await modem.settled(OBEY_SECONDS)
        moved = [other for other in self._bank.values() if other is not modem and other.imei == modem.last_imei]
        if state is State.ABSENT and modem.last_imei is not None and moved:
            return f"{moved[0].state}, now at {moved[0].port}"
        if state not in WELL:
            raise Unsettled(port=modem.port, state=state, reason=modem.reason)
        return str(state)
