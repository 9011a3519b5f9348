"""A prepaid SIM's balance is asked for by itself; what is low is told, and what is left is kept for answers."""

from collections.abc import Callable

import pytest

from modemd.balance import cents_in
from tests.flow.running import RunningService

ASKER, OTHER = "+359888111001", "+359888111002"


@pytest.mark.long
def test_a_line_that_has_little_left_sends_only_answers(service: Callable[..., RunningService]) -> None:
    running = service(
        modems=1, settings='bank.balance_ussd = "*100#"\nbank.balance_warn = 1000\nbank.balance_stop = 500'
    )
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    running.until(lambda: running.overview()[0].balance_cents is not None)
    assert running.run("send", "-c", running.config, OTHER, "zdravey").returncode == 0
    assert "37,91 EUR" in running.answer_to(ASKER, "smetka")
    assert [message.state for message in running.messages(number=OTHER)] == ["queued"]
    assert "only answers" in running.run("status", "-c", running.config, "--json").stdout


@pytest.mark.parametrize(
    ("answer", "cents"),
    [("Balans: 12,50 EUR", 1250), ("Imate 3.07 EUR do 31.12.2026", 307), ("Nevaliden kod", None)],
)
def test_the_amount_is_found_in_the_operator_s_answer(answer: str, cents: int | None) -> None:
    assert cents_in(r"(\d+[.,]\d{2})", answer) == cents


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('bank.balance_pattern = "(["', "no regular expression"),
        ('bank.balance_pattern = "EUR"', "needs a group"),
        ("bank.balance_ussd = 'AT\"'", "balance_ussd"),
        ('[[line]]\nport = "a"\nbalance_pattern = "("', "no regular expression"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_in_words(
    service: Callable[..., RunningService], line: str, words: str
) -> None:
    running = service()
    running.config.write_text(running.config.read_text() + line)
    refused = running.run("status", "-c", running.config)
    assert refused.returncode == 1
    assert words in refused.stderr
