"""Whatever is refused, people read why in their own language; the command line keeps its English."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modemd import errors
from modemd.errors import (
    Because,
    CampaignRefused,
    ModemdError,
    ModemError,
    NotAPhone,
    NotHeld,
    NotUnread,
    Refusal,
    WrongNumber,
)
from modemd.store.schema import CampaignState, MessageState, import_file
from tests.panels import RunningPanel
from web import reasons, refusals

ROOT = Path(__file__).parents[2]
# Those for which a page of the panel has a sentence of its own, and those that no page shows.
NOT_SHOWN = {
    *("SettingsError", "SimulatorError", "AuditBroken", "VerbFailed", "CertificateRefused", "PanelNotStarted"),
    *("TokenRefused", "WebhookRefused", "DatabaseNewer", "DatabaseOutdated", "DatabaseUnreachable"),
}
# Services of which pages take any error for an answer.
ASKED = ("accounts", "confirmation", "consent", "customers", "identities", "phones", "subscriptions")


def _met() -> Iterator[str]:
    """The errors that the panel's pages name, and those of the services that they ask."""
    for path in (*(ROOT / "web").glob("*.py"), *(ROOT / f"modemd/service/{name}.py" for name in ASKED)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "modemd.errors":
                yield from (alias.name for alias in node.names)


def _errors() -> Iterator[type[ModemdError]]:
    for name in sorted(set(_met()) - NOT_SHOWN - {"Because", "ModemdError"}):
        kind = getattr(errors, name)
        if not issubclass(kind, ModemError):
            yield kind


@pytest.mark.parametrize("kind", list(_errors()))
def test_every_error_that_people_meet_has_a_sentence_or_a_reason_that_can_be_translated(
    kind: type[ModemdError],
) -> None:
    assert issubclass(kind, Refusal) or kind in refusals.SENTENCES


def test_no_name_is_left_of_an_error_that_is_gone() -> None:
    assert {name for name in NOT_SHOWN if not hasattr(errors, name)} == set()


def test_every_reason_is_written_where_it_is_given_so_that_the_catalogue_finds_it() -> None:
    """mypy sees that a Refusal has a Because; its sentence has to stand there as a literal."""
    found = 0
    for path in (ROOT / "modemd").rglob("*.py"):
        if path.name == "kept.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Because":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                found += 1
    assert found > 100


def said(panel: RunningPanel, error: ModemdError, language: str = "bg") -> str:
    with panel.app.test_request_context(headers={"Cookie": f"language={language}"}):
        return refusals.said(error)


def test_a_refusal_is_said_in_the_readers_language_with_its_facts(panel: RunningPanel) -> None:
    why = Because("run {run} is {state}; it has to be done or cancelled first", run=7, state=CampaignState.PAUSED)
    error = CampaignRefused(what="The start", reason=why)
    assert str(error) == "The start was not done: run 7 is paused; it has to be done or cancelled first."
    assert said(panel, error) == (
        "Изпращане 7 още не е приключило (състояние: на пауза); първо то трябва да свърши или да бъде отказано."
    )
    assert said(panel, error, "en") == "Run 7 is paused; it has to be done or cancelled first."


def test_a_reason_within_a_reason_is_translated_too(panel: RunningPanel) -> None:
    inner = Because("cancelled by {name}", name="maria")
    error = CampaignRefused(what="It", reason=Because("it was ended before: {reason}", reason=inner))
    assert said(panel, error) == "Вече е прекратено: отказано от maria."


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotAPhone(number="12"), "12 не е телефонен номер."),
        (WrongNumber(number="+35988*****01", day="23.11.2026"), "е отбелязан като грешен номер на 23.11.2026"),
        (NotHeld(message_id=4, state=MessageState.DELIVERED), "състоянието му: доставено"),
        (NotUnread(inbox_id=4, reason=Because("does not exist")), "Нищо не е променено: текст 4 не съществува."),
    ],
)
def test_an_error_with_a_sentence_of_its_own(panel: RunningPanel, error: ModemdError, expected: str) -> None:
    assert expected in said(panel, error)


def test_a_hostile_fact_does_nothing(panel: RunningPanel) -> None:
    error = CampaignRefused(what="It", reason=Because("cancelled by {name}", name="{name.__class__}%(x)s\u202e<b>"))
    assert said(panel, error) == "Отказано от {name.__class__}%(x)s‹U+202E›<b>."


def test_a_reason_that_was_kept_is_said_in_the_readers_language(panel: RunningPanel) -> None:
    """As an import keeps why a file was refused, with what is wrong in its first bad row inside."""
    row = Because("{column}: {cell} is negative", column="amount_open", cell="'-1,00'")
    why = Because(
        "{bad} of {rows} rows are bad, see {path}; the first is line {line}: {reason}",
        bad=3,
        rows=9,
        path=Path("reject/f.csv"),
        line=4,
        reason=row,
    )
    file = {
        "type": "OPENITEMS",
        "source": "sap",
        "seq": 1,
        "mode": "FULL",
        "name": "f.csv",
        "sha256": "0" * 64,
        "data_at": datetime(2026, 11, 23, tzinfo=UTC),
        "rows": 9,
        "rejected": 3,
        "open_cents": 0,
        "state": "refused",
        "reason": why,
        "at": datetime(2026, 11, 23, tzinfo=UTC),
    }
    with panel.engine.begin() as conn:
        conn.execute(import_file.insert(), file)
        kept = conn.scalar(import_file.select().with_only_columns(import_file.c.reason))
    assert kept == "3 of 9 rows are bad, see reject/f.csv; the first is line 4: amount_open: '-1,00' is negative"
    with panel.app.test_request_context(headers={"Cookie": "language=bg"}):
        assert refusals.reason(kept) == (
            "3 от 9 реда са лоши, вижте reject/f.csv; първият е ред 4: колона amount_open: '-1,00' е отрицателно"
        )
        assert refusals.reason("words of a person") == "words of a person"
        assert reasons.of_message(Because("the outage is over")) == "прекъсването е минало"
