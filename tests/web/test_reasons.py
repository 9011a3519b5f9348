"""Every reason that the daemon may keep has a sentence in both languages, and every number of the standards advice."""

import ast
import inspect
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


@pytest.mark.parametrize("code", sorted(set(_codes())))
def test_every_reason_of_the_daemon_has_a_sentence(code: str) -> None:
    assert code in reasons.SENTENCES


def test_no_sentence_is_left_of_what_is_no_reason_any_more() -> None:
    assert set(reasons.SENTENCES) <= set(_codes())


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
            "Причината е в съобщението или номера. Повече не се опитва. Проверете номера на получателя."
        )
        assert reasons.of_message("status report 70, validity period expired (…)").startswith("Причината е в")
        assert reasons.of_message("something of nobody's") == "something of nobody's"


@pytest.mark.parametrize("language", ["bg", "en"])
def test_every_number_of_the_standards_has_its_advice_in_both_languages(panel: RunningPanel, language: str) -> None:
    with panel.app.test_request_context(headers={"Cookie": f"language={language}"}):
        for table in (causes.CMS, causes.CME, causes.TP_ST):
            for cause in table.values():
                advice = reasons.advice(cause)
                assert bool(advice) is bool(cause.advice)
                assert language == "en" or not advice or any("а" <= letter <= "я" for letter in advice), cause
