"""Every reason that the daemon may keep has a sentence in both languages, and every number of the standards advice."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from modemd import causes, errors
from modemd.errors import CommandRefused, CommandTimeout, ModemError
from modemd.messages import Reason
from modemd.modem.console import _REFUSED
from modemd.modem.recovery import Rung
from tests.panels import RunningPanel
from web import reasons

ROOT = Path(__file__).parents[2]
NEVER_KEPT = {"NotSent", "SendInDoubt"}  # about one message: they stay with the sender


def _codes() -> Iterator[str]:
    """The errors of modems, and the words in the calls of Reason."""
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, ModemError) and name not in NEVER_KEPT:
            yield name
    for path in (ROOT / "modemd").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                code = node.args[1] if len(node.args) > 1 else None
                assert code is not None, f"{path}:{node.lineno}: a reason without a code"
                if isinstance(code, ast.Constant):
                    yield str(code.value)


def test_every_reason_of_the_daemon_has_a_sentence_and_no_other_is_left() -> None:
    assert set(reasons.SENTENCES) == set(_codes())


def test_every_rung_and_every_refusal_of_the_console_has_its_words() -> None:
    assert set(reasons.RUNGS) == set(reasons.RUNG_NAMES) == set(Rung)
    assert set(_REFUSED) | {"form", "sets", "slow", "unknown"} == set(reasons.NOT_LET_THROUGH)


def said(panel: RunningPanel, reason: Reason, language: str = "bg") -> tuple[str, str]:
    with panel.app.test_request_context(headers={"Cookie": f"language={language}"}):
        return reasons.what(reason), reasons.do(reason)


def test_the_facts_stand_in_the_sentence(panel: RunningPanel) -> None:
    reason = Reason.of(CommandTimeout(port="/dev/x", command="AT+CMGS=22", seconds="60"))
    assert said(panel, reason)[0] == "Няма отговор на AT+CMGS=22 (срок 60 сек)."
    assert said(panel, reason, "en")[0] == "No answer to AT+CMGS=22 in 60 s."


def test_a_fact_that_is_missing_breaks_nothing(panel: RunningPanel) -> None:
    assert said(panel, Reason("no answer", "CommandTimeout"))[0] == "Няма отговор на ? (срок ? сек)."


def test_a_hostile_fact_does_nothing(panel: RunningPanel) -> None:
    reason = Reason("x", "PortBusy", holder="\u202e%(path)s<b>")
    assert said(panel, reason)[0] == "Друга програма държи порта (‹U+202E›%(path)s<b>)."


def test_a_refusal_tells_whose_fault_and_what_to_do(panel: RunningPanel) -> None:
    error = CommandRefused(port="/dev/x", command="AT+CMGS", result="+CMS ERROR: 28", advice=causes.cms(28))
    with panel.app.test_request_context():
        assert reasons.of_message(str(error)) == (
            "Мрежата не познава този абонат (CMS 28: unidentified subscriber). Причината е в съобщението или номера. "
            "Повече не се опитва. Проверете номера на получателя."
        )
        late = reasons.of_message("status report 70, validity period expired (…)")
        assert late.startswith("Срокът на валидност е изтекъл (TP-ST 70: validity period expired). Причината е в")
        assert reasons.of_status(0) == "Получено е на телефона (TP-ST 0)."
        assert reasons.of_message("something of nobody's") == "something of nobody's"


@pytest.mark.parametrize("table", ["CMS", "CME", "TP_ST"])
def test_every_number_of_the_standards_is_told_in_plain_bulgarian(panel: RunningPanel, table: str) -> None:
    """What it is, whose fault, what happens next and what to do; beside a fault stands the standard's own name."""
    with panel.app.test_request_context(headers={"Cookie": "language=bg"}):
        for number, found in getattr(causes, table).items():
            told = reasons.cause(f"x {number}", found)
            arrived = found.next is causes.Next.ARRIVED
            sentences = told.replace(f" (x {number})" if arrived else f" (x {number}: {found.name})", "")
            assert sentences != told, "number or name are missing, or are all there is"
            assert _is_bulgarian(sentences), told
            if not arrived:
                facts = (reasons.FAULTS[found.fault], reasons.NEXT[found.next])
                assert all(str(fact) in told for fact in facts)
                assert told.endswith(reasons.advice(found) or "Няма какво да се прави, освен да се изчака.")


def _is_bulgarian(text: str) -> bool:
    """Words in Latin letters are names only: of settings, commands and the standard's abbreviations."""
    names = {"SIM", "PIN", "PIN2", "PUK", "PUK2", "SMS", "PDU", "IMEI", "GPRS", "EAP", "AT", "CSCA", "bank", "pin_file"}
    names |= {"USIM", "TP", "PID", "DCS", "VP", "VPF", "CNMA", "CSG", "Command", "Type"}
    return set(re.findall(r"[A-Za-z_]+[0-9]?", text)) <= names


def test_in_english_the_name_of_the_standard_stands_once(panel: RunningPanel) -> None:
    with panel.app.test_request_context(headers={"Cookie": "language=en"}):
        assert reasons.of_status(0x20).startswith("Congestion (TP-ST 32). The fault lies with the network.")
        assert reasons.of_status(0) == "Received by the recipient (TP-ST 0)."
