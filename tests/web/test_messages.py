"""Messages are found, read by who may, and decided on; what was looked up or revealed stays in the audit log."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.store import outbox, rules
from modemd.store.outbox import Sending, Want
from modemd.store.schema import message, part
from tests.panels import BILL, HOST, NOW, PASSWORD, RunningPanel, Visitor
from web.messages import ON_A_PAGE

PHONE = "+359881234567"


@pytest.fixture
def line(panel: RunningPanel) -> int:
    panel.start_daemon()
    return panel.add_modem(1, name="A1 first")


@pytest.fixture
def operator(panel: RunningPanel, line: int) -> Visitor:
    return panel.signed_in("operator")


def noted(panel: RunningPanel) -> list[tuple[str, str, str]]:
    with panel.writing() as conn:
        return [(each.action, each.subject, each.detail) for each in audit.entries(conn, 10)]


def texts(page: str) -> list[str]:
    return [piece.split("</bdi>")[0] for piece in page.split('<p class="text"><bdi>')[1:]]


def hold(panel: RunningPanel, line: int, count: int) -> list[int]:
    """So many messages that a person has to decide about."""
    ids = [panel.queue(f"held {number}", "manual", line_id=line) for number in range(count)]
    with panel.writing() as conn:
        for _ in ids:
            ((claim,),) = outbox.claim(conn, [Want(line, 1)], panel.now, HOST, timedelta(seconds=30))
            outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line)], panel.now, HOST)
        for table in (message, part):
            conn.execute(table.update().values(state="held"))
    return ids


def states(panel: RunningPanel) -> list[str]:
    with panel.writing() as conn:
        return list(conn.scalars(select(message.c.state).order_by(message.c.id)))


# search


def test_pages_follow_each_other_without_a_gap_or_a_double_however_many_share_a_moment(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    for number in range(ON_A_PAGE + 10):
        panel.queue(f"out {number}", "manual")
        panel.receive(line, f"in {number}")
    path, seen = "/messages/", []
    while path:
        page = operator.page(path)
        seen += texts(page)
        more = page.split('class="more"')
        path = more[1].split('href="')[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else ""
    assert len(seen) == len(set(seen)) == 2 * (ON_A_PAGE + 10)
    assert seen[0] == f"out {ON_A_PAGE + 9}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("direction=mo", ["СМЕТКА"]),
        ("direction=mt", ["by hand", BILL]),
        ("kind=reply", [BILL]),
        ("state=sent", [BILL]),
        ("state=new", ["СМЕТКА"]),
        ("text=сметка", ["СМЕТКА"]),
        ("text=ELEKTROHOLD", [BILL]),
        ("text=100%25", []),
        ("line=1", [BILL, "СМЕТКА"]),
        ("line=2", []),
        ("since=2026-11-24", []),
        ("since=2026-11-23&until=2026-11-23", ["by hand", BILL, "СМЕТКА"]),
        ("until=2026-11-22", []),
    ],
)
def test_each_condition_narrows_the_search(
    panel: RunningPanel, line: int, operator: Visitor, query: str, found: list[str]
) -> None:
    panel.add_modem(2)
    panel.receive(line, "СМЕТКА")
    panel.now += timedelta(seconds=1)
    panel.send(line)
    panel.now += timedelta(seconds=1)
    panel.queue("by hand", "manual")
    assert texts(operator.page(f"/messages/?{query}")) == found


@pytest.mark.parametrize(("text", "days"), [("", 31), ("x", 7)])
def test_no_search_goes_through_more_than_its_days_and_says_so(operator: Visitor, text: str, days: int) -> None:
    page = operator.page(f"/messages/?since=2025-01-01&until=2026-11-23&text={text}")
    assert f"Преглеждат се само последните {days} дни" in page


@pytest.mark.parametrize(
    "query", ["before=x", "before=2026-11-23~mt~1", "state=nonsense", "line=x", "since=yesterday", "before=9~9~9~9"]
)
def test_a_query_that_makes_no_sense_shows_the_newest(panel: RunningPanel, operator: Visitor, query: str) -> None:
    panel.queue("the newest", "manual")
    assert "the newest" in operator.page(f"/messages/?{query}")


def test_a_number_is_posted_and_leads_to_its_conversation(panel: RunningPanel, line: int, operator: Visitor) -> None:
    panel.receive(line, "smetka")
    panel.send(line)
    panel.queue("to another", recipient="+359881111111")
    response = operator.post("/messages/find", {"number": "0881 234 567"}, form_at="/messages/")
    assert response.headers["Location"] == "/messages/mt/1/phone"
    assert texts(operator.page("/messages/mt/1/phone")) == ["smetka", BILL]


@pytest.mark.parametrize(
    ("number", "words"), [("0889 999 999", "Няма съобщения"), ("x", "не е телефонен номер"), ("", "Въведете номер")]
)
def test_a_number_that_leads_nowhere_is_said(operator: Visitor, number: str, words: str) -> None:
    operator.post("/messages/find", {"number": number}, form_at="/messages/")
    assert words in operator.page("/messages/")


# one message


def test_a_message_tells_its_life_with_times(panel: RunningPanel, line: int, operator: Visitor) -> None:
    question = panel.receive(line, "smetka")
    panel.send(line, in_reply_to=question)
    page = operator.page("/messages/mt/1")
    for shown in ("Влезе в опашката.", "Част 1 от 1 предадена на A1 first.", "приета от мрежата", "smetka", "10:42"):
        assert shown in page
    assert BILL in operator.page("/messages/mo/1")


@pytest.mark.parametrize("report", [{"status": 0, "discharged_at": NOW}, {}])
def test_how_it_ended_is_said_once(
    panel: RunningPanel, line: int, operator: Visitor, report: dict[str, object]
) -> None:
    panel.send(line)
    with panel.writing() as conn:
        conn.execute(message.update().values(state="delivered", state_at=NOW))
        conn.execute(part.update().values(state="delivered", **report))
    log = operator.page("/messages/mt/1").split('<ol class="log">')[1].split("</ol>")[0]
    assert log.count("доставено") == 1


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "in_doubt", "held"])
def test_a_message_on_its_way_is_kept_current(panel: RunningPanel, line: int, operator: Visitor, state: str) -> None:
    panel.send(line)
    with panel.writing() as conn:
        conn.execute(message.update().values(state=state))
    page = operator.page("/messages/mt/1")
    assert 'data-live="/messages/mt/1/live"' in page
    live = operator.page("/messages/mt/1/live")
    assert live.split("<form")[0].strip() in page
    assert "<html" not in live


@pytest.mark.parametrize("state", ["delivered", "undelivered", "expired", "failed", "skipped", "cancelled"])
def test_a_message_that_has_come_to_its_end_asks_for_nothing_more(
    panel: RunningPanel, line: int, operator: Visitor, state: str
) -> None:
    panel.send(line)
    with panel.writing() as conn:
        conn.execute(message.update().values(state=state))
    assert "data-live" not in operator.page("/messages/mt/1")


def test_a_question_is_kept_current_until_its_answer_has_come_to_its_end(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    question = panel.receive(line, "smetka")
    assert "data-live" in operator.page("/messages/mo/1")
    panel.answer(question)
    panel.send(line, in_reply_to=question)
    assert "data-live" in operator.page("/messages/mo/1")
    with panel.writing() as conn:
        conn.execute(message.update().values(state="delivered"))
    assert "data-live" not in operator.page("/messages/mo/1")


def test_a_decision_made_on_what_came_in_meanwhile_leads_back_to_the_page(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    panel.send(line)
    with panel.writing() as conn:
        conn.execute(message.update().values(state="held"))
    assert 'name="back" value="/messages/mt/1"' in operator.page("/messages/mt/1/live")


def test_why_a_message_failed_is_said_in_plain_words(panel: RunningPanel, line: int, operator: Visitor) -> None:
    panel.send(line)
    with panel.writing() as conn:
        error = "/dev/x refused AT+CMGS: +CMS ERROR: 28 (unidentified subscriber)."
        conn.execute(message.update().values(state="failed", error=error))
    for path in ("/messages/mt/1", "/messages/queue/failed"):
        assert "Проверете номера на получателя." in operator.page(path)


@pytest.mark.parametrize("path", ["/messages/mt/7", "/messages/mo/7", "/messages/mo/7/phone", "/messages/queue/x"])
def test_what_is_not_there_is_no_page(operator: Visitor, path: str) -> None:
    assert operator.get(path).status_code == 404


def test_a_huge_id_is_no_page(operator: Visitor) -> None:
    assert operator.get(f"/messages/mt/{10**30}").status_code == 404


def test_a_number_is_masked_until_it_is_revealed_which_is_noted(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    panel.receive(line, "smetka", PHONE)
    for path in ("/messages/", "/messages/mo/1", "/messages/mo/1/phone"):
        assert PHONE not in operator.page(path)
    assert noted(panel) == []
    operator.post("/messages/mo/1/reveal", {"why": " "}, form_at="/")
    assert noted(panel) == []
    assert "Напишете защо" in operator.page("/messages/mo/1")
    assert PHONE in operator.post("/messages/mo/1/reveal", {"why": "he asked to be called"}, form_at="/").text
    assert noted(panel) == [("number.reveal", "+35988•••567", "message 1: he asked to be called")]


def test_technicians_see_no_texts_of_bills_on_any_page(panel: RunningPanel, line: int) -> None:
    panel.receive(line, "smetka 300000000001")
    panel.send(line, in_reply_to=1)
    visitor = panel.signed_in("technician")
    for path in ("/messages/", "/messages/mt/1", "/messages/mo/1", "/messages/mt/1/phone", "/messages/?kind=reply"):
        page = visitor.page(path)
        assert "37,91" not in page
        assert "300000000001" not in page
        assert "не се показва за Вашата роля" in page


# queues


def test_what_is_held_is_sent_again_or_left_many_at_once(panel: RunningPanel, line: int, operator: Visitor) -> None:
    first, second, third = hold(panel, line, 3)
    page = operator.page("/messages/queue/held")
    assert texts(page) == ["held 0", "held 1", "held 2"]
    token = operator.token("/")
    for ids, verdict in (([first, second], "resend"), ([third], "drop")):
        operator.client.post("/messages/decide", data={"id": ids, "verdict": verdict, "csrf_token": token})
    assert states(panel) == ["queued", "queued", "cancelled"]
    assert noted(panel) == [("doubt.drop", "message 3", ""), ("doubt.resend", "message 1,2", "")]


def test_one_that_was_settled_meanwhile_changes_none(panel: RunningPanel, line: int, operator: Visitor) -> None:
    hold(panel, line, 2)
    with panel.writing() as conn:
        conn.execute(message.update().where(message.c.id == 2).values(state="delivered"))
        conn.execute(part.update().where(part.c.message_id == 2).values(state="delivered"))
    fields = {"id": [1, 2], "verdict": "resend", "csrf_token": operator.token("/")}
    operator.client.post("/messages/decide", data=fields)
    assert states(panel) == ["held", "delivered"]
    assert "Нищо не е променено" in operator.page("/messages/queue/held")
    assert noted(panel) == []


@pytest.mark.parametrize("fields", [{}, {"id": "1"}, {"id": "1", "verdict": "burn"}, {"id": "x", "verdict": "drop"}])
def test_nothing_chosen_changes_nothing(
    panel: RunningPanel, line: int, operator: Visitor, fields: dict[str, str]
) -> None:
    hold(panel, line, 1)
    operator.post("/messages/decide", fields, form_at="/")
    assert states(panel) == ["held"]


def test_a_long_queue_has_pages(panel: RunningPanel, line: int, operator: Visitor) -> None:
    for number in range(ON_A_PAGE + 1):
        panel.answer(panel.receive(line, f"unread {number}"), "unread", "unknown")
    first = operator.page("/messages/queue/unread")
    assert "unread 0<" in first
    assert f"unread {ON_A_PAGE}<" not in first
    assert f"unread {ON_A_PAGE}<" in operator.page(f"/messages/queue/unread?after={ON_A_PAGE}")


@pytest.mark.parametrize(("language", "said"), [("bg", "за липса на ток и аварии"), ("en", "for power cuts")])
def test_a_ready_answer_is_chosen_by_what_it_says(panel: RunningPanel, line: int, language: str, said: str) -> None:
    panel.answer(panel.receive(line, "nyama tok"), "unread", "unknown")
    operator = panel.signed_in("operator")
    operator.client.set_cookie("language", language)
    page = operator.page("/messages/queue/unread")
    assert re.search(rf'<option value="no_power">[^<]*{said}', page)
    assert ">no_power<" not in page


# is it ours


def ask(visitor: Visitor, recipient: str = "0881234567", sender: str = "", day: str = "2026-11-23") -> str:
    fields = {"recipient": recipient, "sender": sender, "day": day}
    return visitor.post("/messages/ours", fields, form_at="/messages/ours").text


YES, NO, MAYBE = "Да, това е наше съобщение", "Не сме изпращали", "не можем да сравним подателя"


def test_a_message_that_left_that_day_is_ours_and_no_other(panel: RunningPanel, line: int, operator: Visitor) -> None:
    panel.send(line)
    assert YES in ask(operator)
    assert NO in ask(operator, day="2026-11-22")
    assert NO in ask(operator, recipient="0881234568")
    assert noted(panel)[-1] == ("message.ours", "+35988•••567", "2026-11-23 ours")


def test_a_message_that_never_left_is_not_ours(panel: RunningPanel, operator: Visitor) -> None:
    panel.queue()
    assert NO in ask(operator)


def test_the_sender_decides_where_the_line_s_own_number_is_known(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    panel.send(line)
    page = ask(operator, sender="0889 000 001")
    assert MAYBE in page
    assert "Не е въведен собственият номер на тези линии: A1 first" in page
    with panel.writing() as conn:
        rules.change(conn, line, number="0889000001")
    assert YES in ask(operator, sender="+359 889 000 001")
    assert NO in ask(operator, sender="0889 000 002")
    assert NO in ask(operator, sender="Elektrohold")
    assert YES in ask(operator, sender=panel.settings.service.service_number)


def test_the_day_is_sofias(panel: RunningPanel, line: int, operator: Visitor) -> None:
    panel.now = NOW.replace(hour=22, minute=30)  # 00:30 of the 24th in Sofia
    panel.send(line)
    operator.sign_in("elena", PASSWORD)  # the one of the morning is over
    assert NO in ask(operator, day="2026-11-23")
    assert YES in ask(operator, day="2026-11-24")


def test_the_proof_names_who_checked_when_and_the_times_of_the_network(
    panel: RunningPanel, line: int, operator: Visitor
) -> None:
    panel.send(line)
    page = ask(operator)
    for shown in ("23.11.2026 10:42:07", "от elena", "mt-1", PHONE):
        assert shown in page


def test_what_is_no_phone_is_said(operator: Visitor) -> None:
    assert "Това не е телефонен номер" in ask(operator, recipient="hello")
