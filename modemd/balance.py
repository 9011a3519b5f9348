"""What is left on each prepaid SIM: asked of the operator by USSD on a schedule, with a warning and a stop.

Below `balance_warn` somebody is told. At `balance_stop` the line keeps what is left for answers.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from modemd.config import Settings
from modemd.errors import ModemdError, ModemError
from modemd.messages import AlertKind
from modemd.modem.lifecycle import State
from modemd.modem.modem import Modem
from modemd.store import lines
from modemd.store.ledger import Ledger

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
RETRY = timedelta(hours=1)  # after an operator who did not answer, or not as expected


class Hearer(Protocol):
    def alert(self, modem: Modem, kind: AlertKind, text: str | None) -> None: ...

    def modem_changed(self, modem: Modem) -> None: ...


def cents_in(pattern: str, answer: str) -> int | None:
    """The amount that the first group of `pattern` finds in the operator's answer; None when there is none."""
    found = re.search(pattern, answer)
    amount = found[1].replace(",", ".").replace(" ", "") if found and found[1] else ""
    try:
        return round(float(amount) * 100)
    except ValueError:
        return None


class Balances:
    def __init__(
        self, settings: Settings, ledger: Ledger, bank: Mapping[str, Modem], above: Hearer, now: Callable[[], datetime]
    ) -> None:
        """`bank`: the modems by their ports; `above` is told of what is low."""
        self._settings = settings
        self._ledger = ledger
        self._bank = bank
        self._above = above
        self._now = now
        self._cents: dict[int, int] = {}  # by line
        self._ask_at: dict[int, datetime] = {}
        self._asking: set[int] = set()

    async def run(self) -> None:
        """Ask and watch until cancelled. No modem waits for another."""
        for line_id, cents, at in await self._ledger.do(lines.balances):
            self._cents[line_id] = cents
            self._ask_at[line_id] = at + timedelta(hours=self._settings.bank.balance_hours)
        async with asyncio.TaskGroup() as tasks:
            while True:
                for modem in list(self._bank.values()):
                    if modem.line_id is not None and modem.state is State.READY:
                        self._judge(modem, modem.line_id)
                        if self._is_due(modem, modem.line_id):
                            self._asking.add(modem.line_id)
                            tasks.create_task(self._ask(modem, modem.line_id), name=f"balance {modem.name}")
                await asyncio.sleep(LOOK_SECONDS)

    def _code(self, modem: Modem) -> tuple[str | None, str]:
        """The USSD code and the pattern for this modem's SIM."""
        bank = self._settings.bank
        own = self._settings.line_of(modem.port, modem.imei, modem.iccid)
        code = own.balance_ussd if own and own.balance_ussd is not None else bank.balance_ussd
        return code or None, own.balance_pattern if own and own.balance_pattern else bank.balance_pattern

    def _is_due(self, modem: Modem, line_id: int) -> bool:
        if self._code(modem)[0] is None or line_id in self._asking:
            return False
        due = self._ask_at.get(line_id)
        return due is None or due <= self._now()

    async def _ask(self, modem: Modem, line_id: int) -> None:
        code, pattern = self._code(modem)
        self._ask_at[line_id] = self._now() + min(RETRY, timedelta(hours=self._settings.bank.balance_hours))
        try:
            cents = cents_in(pattern, await modem.ussd(code or ""))
            if cents is None:
                raise ModemError(port=modem.port, reason="no amount in the answer to [bank] balance_ussd")
            await self._ledger.do(lines.save_balance, line_id, cents, self._now())
        except ModemdError as error:
            log.warning("%s", error)
        else:
            self._cents[line_id] = cents
            self._ask_at[line_id] = self._now() + timedelta(hours=self._settings.bank.balance_hours)
            self._judge(modem, line_id)
        finally:
            self._asking.discard(line_id)

    def _judge(self, modem: Modem, line_id: int) -> None:
        bank = self._settings.bank
        cents = self._cents.get(line_id)
        low = cents is not None and bank.balance_warn is not None and cents <= bank.balance_warn * 100
        empty = cents is not None and bank.balance_stop is not None and cents <= bank.balance_stop * 100
        words = f"{(cents or 0) / 100:.2f} left on the SIM".replace(".", ",")
        words += "; it sends only answers until it is topped up" if empty else ": top it up"
        self._above.alert(modem, AlertKind.BALANCE_LOW, words if low or empty else None)
        if modem.answers_only is not empty:
            modem.answers_only = empty
            self._above.modem_changed(modem)
