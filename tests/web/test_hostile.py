"""Rule 14: texts in SMS are hostile, and so are the numbers and names that come with them."""

from datetime import timedelta

import pytest
from flask import render_template_string

from tests.panels import NOW, RunningPanel
from web import formats

HOSTILE = {
    "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
    '"><img src=x onerror=alert(1)>': "&#34;&gt;&lt;img src=x onerror=alert(1)&gt;",
    "{{ 7 * 7 }}{% raise %}": "{{ 7 * 7 }}{% raise %}",
    "плати на \u202egro.live\u202c": "‹U+202E›gro.live‹U+202C›",
    "\u2067rtl\u2069": "‹U+2067›rtl‹U+2069›",
    "a\x00b\x1b[31m\x07": "a‹U+0000›b‹U+001B›[31m‹U+0007›",
    "=HYPERLINK(0)": "=HYPERLINK(0)",
    "%(name)s %s": "%(name)s %s",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 ": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_hostile_text_shows_as_text(panel: RunningPanel, text: str, shown: str) -> None:
    panel.start_daemon()
    panel.receive(panel.add_modem(1), text.replace("\x00", ""), "+359881234567")
    page = panel.signed_in().page("/live")
    assert shown.replace("‹U+0000›", "") in page
    assert "<script>" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_hostile_sender_shows_as_text(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.receive(panel.add_modem(1), "hello", "<b>\u202eA1")
    page = panel.signed_in().page("/live")
    assert "&lt;b&gt;‹U+202E›A1" in page


def test_ten_thousand_emoji_are_cut_and_counted(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.receive(panel.add_modem(1), "\U0001f4a5" * 10_000)
    page = panel.signed_in().page("/live")
    assert page.count("\U0001f4a5") == 320
    assert "… (10\u00a0000)" in page


def test_hostile_names_of_operators_and_reasons_show_as_text(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(1, "silent", operator="<i>A1</i>\u202e", reason="<u>no answer</u>\x08")
    page = panel.signed_in().page("/live")
    assert "&lt;i&gt;A1&lt;/i&gt;‹U+202E›" in page
    assert "&lt;u&gt;no answer&lt;/u&gt;‹U+0008›" in page


def test_the_phone_shows_hostile_texts_as_text(panel: RunningPanel) -> None:
    for text in HOSTILE:
        panel.phones.receive("+359888000101", text)
    page = panel.signed_in().page("/phone/")
    for shown in HOSTILE.values():
        assert shown in page
    assert "<script>alert" not in page


def test_half_a_surrogate_pair_shows_and_encodes() -> None:
    assert formats.visible("a\ud83d!").encode() == "a‹U+D83D›!".encode()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+359881234567", "+35988•••567"),
        ("0881234567", "08•••67"),
        ("+4915112345678", "+49151•••678"),
        ("1234567", "12•••67"),
        ("170077", "170077"),
        ("A1 BG", "A1 BG"),
        (None, "—"),
    ],
)
def test_a_number_is_masked_unless_it_is_a_short_code_or_a_name(number: str | None, shown: str) -> None:
    assert formats.masked(number) == shown


@pytest.mark.parametrize(
    ("signal", "bars", "dbm"), [(-51, 4, "−51 dBm"), (-75, 4, "−75 dBm"), (-109, 0, "−109 dBm"), (None, 0, "—")]
)
def test_a_signal_shows_as_bars_and_figure(signal: int | None, bars: int, dbm: str) -> None:
    assert (formats.bars(signal), formats.dbm(signal)) == (bars, dbm)


@pytest.mark.parametrize(
    ("days", "shown"), [(0, "10:42"), (1, "22.11. 10:42"), (-1, "24.11. 10:42"), (365, "23.11.2025 10:42")]
)
def test_a_time_is_sofias_and_as_short_as_it_is_clear(panel: RunningPanel, days: int, shown: str) -> None:
    with panel.app.test_request_context():
        template = "{{ time|moment }}"
        assert render_template_string(template, time=NOW - timedelta(days=days)) == shown


@pytest.mark.parametrize(("language", "shown"), [("bg", "1\u00a0234,5 12\u00a0345"), ("en", "1,234.5 12,345")])
def test_figures_have_the_readers_decimal_mark(panel: RunningPanel, language: str, shown: str) -> None:
    with panel.app.test_request_context(headers={"Cookie": f"language={language}"}):
        assert f"{formats.decimal(1234.5)} {formats.decimal(12345)}" == shown


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox, Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("\u202ecurl", "‹U+202E›curl"),
        ("x" * 100, "x" * 80 + "… (100)"),
    ],
)
def test_a_browser_is_told_in_two_words(panel: RunningPanel, agent: str, shown: str) -> None:
    with panel.app.test_request_context():
        assert formats.browser(agent) == shown
