"""The first page: which modem is ill, since when, and what is going on."""

import re
from datetime import timedelta

import pytest

from modemd.errors import CommandTimeout, PukRequired
from modemd.messages import Reason
from modemd.service import failures
from modemd.store import lines
from modemd.store.schema import InboxState, MessageState, message
from tests.panels import HOST, NOW, RunningPanel
from web import words


@pytest.fixture
def line(panel: RunningPanel) -> int:
    panel.start_daemon()
    return panel.add_modem(1, name="A1 first")


def test_a_modem_shows_its_state_place_operator_signal_and_day(panel: RunningPanel, line: int) -> None:
    panel.receive(line, "smetka")
    panel.send(line)
    panel.send(line)
    page = panel.signed_in().page("/")
    for shown in ("A1 first", "usb-1.1", "готов", "10:42", "A1 BG", "−71 dBm", "</span> 2</span>", "</span> 1</span>"):
        assert shown in page, shown


def test_todays_counts_begin_at_midnight_in_sofia(panel: RunningPanel, line: int) -> None:
    panel.now = NOW.replace(hour=21, minute=59) - timedelta(days=1)  # 23:59 in Sofia
    panel.send(line)
    panel.now = NOW.replace(hour=22, minute=0) - timedelta(days=1)
    panel.receive(line, "smetka")
    panel.now = NOW
    page = panel.signed_in().page("/")
    assert "Изпратени днес</span> 0</span>" in page
    assert "Получени днес</span> 1</span>" in page


def test_when_all_modems_are_ready_one_sentence_says_so(panel: RunningPanel, line: int) -> None:
    panel.add_modem(2)
    assert "Всичко е наред: 2 модема са готови." in panel.signed_in().page("/")


def test_a_sim_that_waits_to_be_accepted_is_said_on_top(panel: RunningPanel, line: int) -> None:
    panel.add_modem(2, adopt=False)
    page = panel.signed_in().page("/")
    assert "1 нова SIM карта не праща, докато не я приемете." in page
    assert "Всичко е наред" not in page
    assert '<p class="good"' not in page


def test_ill_modems_come_first_the_worst_on_top(panel: RunningPanel, line: int) -> None:
    for number, state in ((2, "unregistered"), (3, "silent"), (4, "quarantined"), (5, "ready")):
        panel.add_modem(number, state, name=f"the {state} one")
    page = panel.signed_in().page("/")
    assert "3 от 5 модема искат внимание." in page
    places = [page.index(name) for name in ("quarantined one", "silent one", "unregistered one", "A1 first")]
    assert places == sorted(places)


def test_an_ill_modem_says_what_since_when_and_what_to_do(panel: RunningPanel) -> None:
    panel.start_daemon()
    reason = Reason.of(PukRequired(port="/dev/modemd/usb-1.2"))
    panel.add_modem(2, "quarantined", reason=reason, state_since=NOW - timedelta(hours=1))
    page = panel.signed_in().page("/")
    for shown in ("изолиран", "09:42", "SIM картата иска PUK. Не праща.", "Не въвеждайте PIN; вземете PUK от договора"):
        assert shown in page


def test_one_that_is_brought_back_says_how_far_it_is_and_until_when_to_wait(panel: RunningPanel, line: int) -> None:
    facts = {"rung": "soft reset", "step": 2, "of": 6, "until": (NOW + timedelta(minutes=4)).isoformat()}
    panel.add_modem(2, "recovering", reason=Reason("soft reset", "OnRung", **facts), place="1-1.4")
    for _ in range(14):
        panel.send(line)
    page = panel.signed_in().page("/")
    assert "хъб 1-1, порт 4" in page
    assert "Рестартираме го, опит 2 от 6." in page
    assert "Оттогава 14 SMS минаха през други линии." in page
    assert "Изчакайте до 10:46." in page


def test_one_that_is_tried_again_and_again_says_since_when_it_is_ill(panel: RunningPanel) -> None:
    panel.start_daemon()
    for minutes, state in ((90, "ready"), (60, "silent"), (50, "quarantined"), (2, "starting"), (1, "quarantined")):
        panel.add_modem(2, state, state_since=NOW - timedelta(minutes=minutes))
    page = " ".join(re.sub("<[^>]+>", " ", panel.signed_in().page("/")).split())
    assert "изолиран от 10:41 , не е готов от 09:42 ." in page


@pytest.mark.parametrize("state", ["silent", "recovering"])
def test_one_that_gives_no_answer_says_that_it_is_cared_for(panel: RunningPanel, line: int, state: str) -> None:
    panel.add_modem(2, state, reason=Reason.of(CommandTimeout(port="/dev/x", command="AT+CSQ", seconds="20")))
    visitor = panel.signed_in()
    for page in (visitor.page("/"), visitor.page("/modem/2")):
        assert "Няма отговор на AT+CSQ" in page
        assert "Изчакайте: възстановява се от само себе си." in page


def test_one_without_a_network_says_its_signal_and_to_look_at_the_antenna(panel: RunningPanel, line: int) -> None:
    reason = Reason("in no network (searching)", "NoNetwork", registration="searching")
    panel.add_modem(2, "unregistered", reason=reason, signal_dbm=-109, state_since=NOW - timedelta(minutes=87))
    page = panel.signed_in().page("/")
    assert "Не намира мрежа (търси)." in page
    assert "Сигнал −109 dBm." in page
    assert "Проверете антената" in page
    assert "in no network" not in page


def test_a_reason_of_an_older_program_is_shown_in_its_own_words(panel: RunningPanel) -> None:
    panel.start_daemon()
    panel.add_modem(2, "quarantined", reason="something else")
    assert "something else" in panel.signed_in().page("/")


@pytest.mark.parametrize("state", ["starting", "paused"])
def test_a_modem_that_starts_or_was_paused_is_not_ill(panel: RunningPanel, line: int, state: str) -> None:
    panel.add_modem(2, state)
    page = panel.signed_in().page("/")
    assert "Всичко е наред; готови са 1 от 2 модема." in page
    assert f'class="ill {words.modem_state(state).tone}"' in page


def test_a_daemon_that_does_not_run_is_said_on_top_with_its_last_time(panel: RunningPanel, line: int) -> None:
    panel.now = NOW + timedelta(minutes=5)
    page = panel.signed_in().page("/")
    assert f"Службата {HOST} не работи; последно се обади в 10:42." in page
    assert "Всичко е наред" not in page


def test_modems_of_a_daemon_that_stopped_are_not_called_unplugged(panel: RunningPanel, line: int) -> None:
    with panel.writing() as conn:
        lines.host_stopped(conn, HOST, "first", NOW)
    page = panel.signed_in().page("/")
    assert "не работи" in page
    assert "Проверете кабела" not in page


def test_a_database_that_no_daemon_has_used_says_how_to_start_one(panel: RunningPanel) -> None:
    page = panel.signed_in().page("/")
    assert "modemd run" in page
    assert "[bank] ports" in page
    assert "Още няма съобщения" in page


def test_what_waits_is_counted(panel: RunningPanel, line: int) -> None:
    for _ in range(3):
        panel.queue()
    panel.receive(line, "smetka")
    panel.answer(panel.receive(line, "kolko dalzha"), InboxState.UNREAD, "unknown")
    page = panel.signed_in().page("/")
    for tile in (
        "<dt>чакат изпращане</dt><dd>3</dd>",
        "<dt>въпроси без отговор</dt><dd>1</dd>",
        '<a href="/messages/queue/unread">неразпознати</a></dt><dd>1</dd>',
        "<dt>неясни</dt><dd>0</dd>",
        "<dt>неуспешни</dt><dd>0</dd>",
    ):
        assert tile in page


@pytest.mark.parametrize(("language", "word"), [("bg", "неуспешни"), ("en", "failed")])
def test_failed_messages_are_counted_and_found_until_somebody_has_decided(
    panel: RunningPanel, language: str, word: str
) -> None:
    """In the part of the page that keeps itself current."""
    first, second = panel.queue(), panel.queue()
    visitor = panel.signed_in()
    visitor.client.set_cookie("language", language)
    assert f"<dt>{word}</dt><dd>0</dd>" in visitor.page("/live")
    with panel.writing() as conn:
        conn.execute(message.update().values(state=MessageState.FAILED))
    tile = f'<a href="/messages/queue/failed">{word}</a></dt><dd>%s</dd>'
    assert tile % 2 in visitor.page("/live")
    with panel.writing() as conn:
        failures.close(conn, [first], "seen", "ivo", panel.now)
    assert tile % 1 in visitor.page("/live")
    assert f"/messages/mt/{second}" in visitor.page("/messages/queue/failed")


def test_the_newest_messages_of_both_directions_come_newest_first(panel: RunningPanel, line: int) -> None:
    panel.answer(panel.receive(line, "smetka"))
    panel.now += timedelta(seconds=1)
    panel.send(line, "the answer")
    panel.now += timedelta(seconds=1)
    panel.receive(line, "another question")
    page = panel.signed_in().page("/")
    places = [page.index(text) for text in ("another question", "the answer", "<bdi>smetka")]
    assert places == sorted(places)


def test_only_the_newest_are_shown(panel: RunningPanel, line: int) -> None:
    for number in range(25):
        panel.now += timedelta(seconds=1)
        panel.queue(f"message {number:02}", "manual")
    page = panel.signed_in().page("/")
    assert "message 12" not in page
    assert "message 13" in page


def test_numbers_are_masked(panel: RunningPanel, line: int) -> None:
    panel.receive(line, "smetka", "+359881234567")
    page = panel.signed_in().page("/")
    assert "+35988•••567" in page
    assert "881234567" not in page


SECRET = "112,40 EUR"


@pytest.mark.parametrize("kind", ["reply", "reminder"])
@pytest.mark.parametrize(
    ("role", "reads"), [("technician", False), ("operator", True), ("manager", True), ("admin", True)]
)
def test_technicians_see_no_texts_of_bills_and_reminders(
    panel: RunningPanel, line: int, kind: str, role: str, reads: bool
) -> None:
    panel.send(line, f"klient ***0001 {SECRET}", kind)
    for path in ("/", "/live"):
        page = panel.signed_in(role).page(path)
        assert (SECRET in page) is reads
        assert ("не се показва за Вашата роля" in page) is not reads
        assert {"reply": "отговор", "reminder": "напомняне"}[kind] in page


@pytest.mark.parametrize(("kind", "state"), [("bill", "done"), ("number", "done"), (None, None)])
def test_technicians_see_no_question_that_may_hold_a_customer_number(
    panel: RunningPanel, line: int, kind: str | None, state: str | None
) -> None:
    question = panel.receive(line, "smetka 300000000001")
    if kind is not None and state is not None:
        panel.answer(question, state, kind)
    assert "300000000001" not in panel.signed_in("technician").page("/")
    assert "300000000001" in panel.signed_in("operator", "boris").page("/")


def test_technicians_see_what_was_not_understood(panel: RunningPanel, line: int) -> None:
    panel.answer(panel.receive(line, "zdravey modem"), InboxState.UNREAD, "unknown")
    assert "zdravey modem" in panel.signed_in("technician").page("/")


@pytest.mark.parametrize("role", ["technician", "operator", "manager", "admin"])
def test_nobody_sees_a_code(panel: RunningPanel, line: int, role: str) -> None:
    panel.send(line, "Elektrohold: kod 482913, validen 10 min.", "otp")
    assert "482913" not in panel.signed_in(role).page("/")


def test_every_state_of_the_store_has_its_word() -> None:
    assert set(words.MESSAGE_STATES) == set(MessageState) | set(InboxState)


def test_every_state_of_a_modem_has_its_word() -> None:
    named = {"absent", "starting", "ready", "unregistered", "silent", "recovering", "quarantined", "paused"}
    assert set(words.MODEM_STATES) == named  # DESIGN section 3; the panel does not import the modem layer


def test_the_live_part_is_the_same_as_in_the_page(panel: RunningPanel, line: int) -> None:
    panel.receive(line, "smetka")
    visitor = panel.signed_in()
    assert visitor.page("/live").strip() in visitor.page("/")
    assert "<html" not in visitor.page("/live")


def test_english_is_there_for_who_prefers_it(panel: RunningPanel, line: int) -> None:
    visitor = panel.signed_in()
    assert (
        visitor.post("/language", {"language": "en", "back": "/phone/?a=1"}, form_at="/").headers["Location"]
        == "/phone/?a=1"
    )
    page = visitor.page("/")
    assert '<html lang="en">' in page
    assert "All is well: 1 modem is ready." in page
    visitor.post("/sign-out", form_at="/")
    assert "Sign in" in visitor.page("/sign-in")


def test_a_language_that_is_not_there_is_refused(panel: RunningPanel) -> None:
    assert panel.signed_in().post("/language", {"language": "xx"}, form_at="/").status_code == 400


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "evil", "/a\r\nSet-Cookie: x=1", "/ /x"]
)
def test_choosing_a_language_leads_nowhere_else(panel: RunningPanel, back: str) -> None:
    response = panel.client().post("/language", {"language": "en", "back": back})
    assert response.headers["Location"] == "/"
