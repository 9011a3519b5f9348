"""A modem's page: what it has been through; what a technician wants of it is a wish that the daemon answers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.errors import CommandTimeout, ConsoleRefused, ModemError, PinRequired, PinTriedBefore, PinWrong, PukRequired
from modemd.messages import Reason
from modemd.store import lines, rules, wishes
from modemd.store.schema import WishState, WishVerb, line, message, wish
from tests.panels import HOST, NOW, RunningPanel, Visitor


@pytest.fixture
def modem(panel: RunningPanel) -> int:
    """The id of a modem, which is 1 as its line's."""
    panel.start_daemon()
    panel.add_modem(1, name="A1 first", place="1-1.4", model="E173", firmware="11.126")
    return 1


@pytest.fixture
def admin(panel: RunningPanel, modem: int) -> Visitor:
    return panel.signed_in()


def asked(panel: RunningPanel) -> list[tuple[str, str | None, str]]:
    with panel.writing() as conn:
        return [tuple(row) for row in conn.execute(select(wish.c.verb, wish.c.argument, wish.c.asked_by))]


def answer(panel: RunningPanel, state: WishState, words: str) -> None:
    with panel.writing() as conn:
        wishes.answer(conn, 1, state, words, panel.now)


def noted(panel: RunningPanel) -> list[tuple[str, str, str, str]]:
    with panel.writing() as conn:
        return [(each.who, each.action, each.subject, each.detail) for each in audit.entries(conn, 10)]


def test_the_page_tells_who_and_where_the_modem_is(panel: RunningPanel, admin: Visitor) -> None:
    page = admin.page("/modem/1")
    for shown in ("A1 first", "хъб 1-1, порт 4", "E173", "11.126", "8935901000000000001", "A1 BG", "−71 dBm", "готов"):
        assert shown in page


def test_its_history_is_told_in_sentences(panel: RunningPanel, admin: Visitor) -> None:
    reason = Reason.of(CommandTimeout(port="x", command="AT", seconds="5"))
    panel.add_modem(1, "silent", name="A1 first", reason=reason)
    panel.add_modem(1, "ready", name="A1 first")
    page = admin.page("/modem/1")
    assert "Няма отговор на AT (срок 5 сек)." in page.split('id="history"')[1]


def test_its_signal_is_a_chart_with_a_gap_where_it_was_away(panel: RunningPanel, admin: Visitor) -> None:
    for minutes, dbm in ((-600, -71), (-590, -75), (-300, -99), (-290, -101), (-280, -97)):
        panel.now = NOW + timedelta(minutes=minutes)
        panel.add_modem(2, signal_dbm=dbm)
    panel.now = NOW
    page = admin.page("/modem/2")
    assert page.count("<polyline") == 2
    assert "Между −101 dBm и −71 dBm" in page


@pytest.mark.parametrize("verb", ["pause", "resume", "restart", "reset", "transcript"])
def test_a_button_writes_a_wish_that_is_audited(panel: RunningPanel, admin: Visitor, verb: str) -> None:
    response = admin.post(f"/modem/1/wish/{verb}", form_at="/")
    assert response.headers["Location"] == "/modem/1#wishes"
    assert asked(panel) == [(verb, None, "elena")]
    assert noted(panel) == [("elena", f"modem.{verb}", "A1 first", "")]
    assert "чака" in admin.page("/modem/1/live")


@pytest.mark.parametrize("verb", ["pin", "say", "ussd", "explode"])
def test_other_verbs_have_no_button(panel: RunningPanel, admin: Visitor, verb: str) -> None:
    assert admin.post(f"/modem/1/wish/{verb}", form_at="/").status_code == 404
    assert asked(panel) == []


def test_a_wish_shows_what_became_of_it(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/ussd", {"code": "*100#"}, form_at="/")
    assert asked(panel) == [("ussd", "*100#", "elena")]
    answer(panel, WishState.DONE, "Nalichnost 12,40 EUR <b>")
    page = admin.page("/modem/1/live")
    assert "изпълнено" in page
    assert "Nalichnost 12,40 EUR &lt;b&gt;" in page


def test_a_wish_that_is_refused_says_why_and_what_to_do(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/wish/restart", form_at="/")
    answer(panel, WishState.REFUSED, Reason.of(PinWrong(port="x")))
    page = admin.page("/modem/1/live")
    assert "неизпълнено" in page
    assert "SIM картата отказа PIN кода; той няма да се пробва отново." in page
    assert "Вижте PIN кода в договора" in page


@pytest.mark.parametrize("code", ["", "100", "*100#;", "AT", "*" * 41])
def test_only_a_ussd_code_is_asked(panel: RunningPanel, admin: Visitor, code: str) -> None:
    admin.post("/modem/1/ussd", {"code": code}, form_at="/")
    assert [argument for _, argument, _ in asked(panel)] == (["100"] if code == "100" else [])


def test_without_a_daemon_nothing_is_asked_and_the_page_says_so(panel: RunningPanel, admin: Visitor) -> None:
    panel.now += timedelta(minutes=5)
    assert "Службата gsm-host-1 не работи" in admin.page("/modem/1")
    admin.post("/modem/1/wish/restart", form_at="/")
    assert asked(panel) == []
    assert "няма кой да го изпълни" in admin.page("/modem/1")


def test_a_test_message_goes_through_this_very_line(panel: RunningPanel, admin: Visitor) -> None:
    panel.add_modem(2)
    response = admin.post("/modem/2/test", {"number": "0888 000 101", "text": "Проба"}, form_at="/")
    assert response.headers["Location"] == "/messages/mt/1"
    with panel.writing() as conn:
        sent = conn.execute(select(message.c.recipient, message.c.kind, message.c.line_id, message.c.text)).all()
    assert [tuple(row) for row in sent] == [("+359888000101", "manual", 2, "Проба")]
    assert noted(panel) == [("elena", "modem.test", "gsm2", "+35988•••101")]


def test_a_test_message_to_no_phone_is_refused(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/test", {"number": "hello", "text": "x"}, form_at="/")
    assert "не е телефонен номер" in admin.page("/modem/1")


PIN = {"pin": "4711", "again": "4711", "sure": "y"}


def test_a_new_pin_is_asked_once_and_is_neither_shown_nor_noted(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/pin", PIN, form_at="/")
    assert asked(panel) == [("pin", "4711", "elena")]
    with panel.writing() as conn:
        wishes.take(conn, HOST, NOW)
    assert asked(panel) == [("pin", None, "elena")]
    assert "4711" not in str(noted(panel)) + admin.page("/modem/1")


@pytest.mark.parametrize(
    "fields", [{**PIN, "again": "4712"}, {**PIN, "sure": ""}, {**PIN, "pin": "12", "again": "12"}, {"pin": "４７１１"}]
)
def test_a_pin_is_guarded(panel: RunningPanel, admin: Visitor, fields: dict[str, str]) -> None:
    admin.post("/modem/1/pin", fields, form_at="/")
    assert asked(panel) == []


@pytest.mark.parametrize(
    ("error", "wanted"), [(PinRequired, True), (PinWrong, True), (PinTriedBefore, True), (PukRequired, False)]
)
def test_where_a_pin_helps_its_form_is_open_and_a_click_away(
    panel: RunningPanel, admin: Visitor, error: type[ModemError], wanted: bool
) -> None:
    panel.add_modem(1, "quarantined", reason=Reason.of(error(port="x")))
    page = admin.page("/modem/1")
    assert ('href="#pin"' in page, '<details class="card-box" open>' in page) == (wanted, wanted)


def test_a_sim_in_puk_state_gets_no_pin(panel: RunningPanel, admin: Visitor) -> None:
    panel.add_modem(1, "quarantined", name="A1 first", reason=Reason.of(PukRequired(port="x")))
    admin.post("/modem/1/pin", PIN, form_at="/")
    assert asked(panel) == []
    assert "SIM картата иска PUK" in admin.page("/modem/1")


def test_a_new_sim_is_accepted_named_and_limited(panel: RunningPanel, admin: Visitor) -> None:
    panel.add_modem(2)
    with panel.writing() as conn:
        conn.execute(line.update().where(line.c.id == 2).values(adopted_at=None))
    for page in ("/modem/2", "/live"):
        assert "Нова SIM карта: не праща нищо, докато не я приемете." in admin.page(page)
    fields = {"name": "Vivacom 2", "number": "0889 000 002", "replaces": "1", "per_day": "200", "notes": "<b>new</b>"}
    admin.post("/modem/2/line", fields, form_at="/")
    with panel.writing() as conn:
        (rule,) = [each for each in rules.read(conn) if each.line_id == 2]
    assert (rule.name, rule.number, rule.replaces, rule.per_day, rule.per_month) == (
        "Vivacom 2",
        "0889 000 002",
        1,
        200,
        None,
    )
    assert rule.adopted
    assert not rule.new
    assert "&lt;b&gt;new&lt;/b&gt;" in admin.page("/modem/2")


def test_a_transcript_is_downloaded_as_text(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/wish/transcript", form_at="/")
    assert admin.get("/modem/1/transcript/1.txt").status_code == 404
    answer(panel, WishState.DONE, "0.000 > AT\\r\n# end: 1\n")
    response = admin.get("/modem/1/transcript/1.txt")
    assert response.text.startswith("0.000 > AT")
    assert response.mimetype == "text/plain"
    assert "attachment" in response.headers["Content-Disposition"]
    assert admin.get("/modem/2/transcript/1.txt").status_code == 404


def test_an_answer_of_another_kind_is_no_transcript(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/ussd", {"code": "*100#"}, form_at="/")
    answer(panel, WishState.DONE, "12 EUR")
    assert admin.get("/modem/1/transcript/1.txt").status_code == 404


def test_the_console_says_what_was_answered_or_refused_and_is_audited(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/modem/1/console", {"command": "AT+CPIN=1234"}, form_at="/")
    assert asked(panel) == [("say", "AT+CPIN=1234", "elena")]
    answer(panel, WishState.REFUSED, Reason.of(ConsoleRefused(command="AT+CPIN=1234", why="locks")))
    said = admin.page("/modem/1/console/live")
    assert "AT+CPIN=1234 не се допуска: може да заключи картата или модема." in said
    assert noted(panel) == [("elena", "modem.say", "A1 first", "AT+CPIN=1234")]


def test_a_modem_that_is_not_there_is_no_page(panel: RunningPanel, admin: Visitor) -> None:
    assert admin.get("/modem/77").status_code == 404
    assert admin.post("/modem/77/wish/pause", form_at="/").status_code == 404


def test_the_live_part_is_the_same_as_in_the_page(panel: RunningPanel, admin: Visitor) -> None:
    assert admin.page("/modem/1/live").split("<form")[0].strip() in admin.page("/modem/1")


def test_a_modem_without_a_sim_has_no_line_to_set(panel: RunningPanel, admin: Visitor) -> None:
    with panel.writing() as conn:
        from modemd.store.schema import modem as table

        conn.execute(table.update().values(line_id=None))
    assert "не е казал каква карта има" in admin.page("/modem/1")
    admin.post("/modem/1/line", {"name": "x", "replaces": "0"}, form_at="/")
    admin.post("/modem/1/test", {"number": "0888000101", "text": "x"}, form_at="/")
    with panel.writing() as conn:
        assert conn.scalar(select(message.c.id)) is None
        assert lines.overview(conn, NOW)[0].line_id is None


@pytest.mark.parametrize("allowed", ["none", "answers", "all"])
def test_the_switch_is_moved_said_on_top_and_audited(panel: RunningPanel, admin: Visitor, allowed: str) -> None:
    admin.post("/sending", {"allowed": allowed}, form_at="/")
    page = admin.page("/live")
    assert ("Не се изпраща нищо" in page) is (allowed == "none")
    assert ("Изпращат се само отговори и кодове" in page) is (allowed == "answers")
    assert noted(panel) == [("elena", "sending.switch", allowed, "")]


def test_the_switch_knows_three_positions(panel: RunningPanel, admin: Visitor) -> None:
    admin.post("/sending", {"allowed": "some"}, form_at="/")
    assert noted(panel) == []


def test_a_verb_of_every_wish_has_its_word() -> None:
    from web import words

    assert set(words.VERBS) == set(WishVerb)
    assert set(words.WISH_STATES) == set(WishState)
