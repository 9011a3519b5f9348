"""Messages that failed: sent again as new ones where that is right, or closed with a note; singly and for many."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from modemd import audit
from modemd.cli.main import cli
from modemd.errors import NotFailed
from modemd.service import failures, subscriptions
from modemd.store import failures as rows
from modemd.store.schema import FailedOutcome, message, part
from tests.panels import HOST, PHONES, RunningPanel, Visitor

QUEUE = "/messages/queue/failed"
REFUSAL = "/dev/x refused AT+CMGS: +CMS ERROR: 28 (unidentified subscriber)."


def failed(panel: RunningPanel, kind: str = "manual", text: str = "Zdraveyte", state: str = "failed") -> int:
    message_id = panel.queue(text, kind, PHONES[0])
    with panel.writing() as conn:
        conn.execute(part.update().where(part.c.message_id == message_id).values(state=state))
        conn.execute(message.update().where(message.c.id == message_id).values(state=state, error=REFUSAL))
    return message_id


def queued(panel: RunningPanel) -> list[tuple[str, str, str]]:
    with panel.writing() as conn:
        query = select(message.c.kind, message.c.recipient, message.c.text).where(message.c.state == "queued")
        return [tuple(row) for row in conn.execute(query.order_by(message.c.id))]


def waiting(panel: RunningPanel) -> list[int]:
    with panel.writing() as conn:
        return [each.id for each in rows.queue(conn, 50)]


def decide(visitor: Visitor, what: str, *ids: int, **fields: str) -> str:
    data = {**fields, "id": [str(each) for each in ids], "csrf_token": visitor.token("/")}
    return visitor.client.post(f"/messages/failed/{what}", data=data, follow_redirects=True).text


def resend(panel: RunningPanel, *ids: int, by: str = "ivo") -> dict[int, int]:
    with panel.writing() as conn:
        return failures.resend(conn, ids, by, panel.settings, panel.now)


def test_many_are_sent_again_as_new_messages_and_leave_the_queue(panel: RunningPanel) -> None:
    first, second, third = failed(panel, "manual", "one"), failed(panel, "api", "two"), failed(panel)
    panel.now += timedelta(hours=3)
    operator = panel.signed_in("operator")
    assert "Изпращат се отново 2 съобщения" in decide(operator, "resend", first, second)
    assert queued(panel) == [("manual", PHONES[0], "one"), ("api", PHONES[0], "two")]
    assert waiting(panel) == [third]
    with panel.writing() as conn:
        new = conn.execute(select(message).where(message.c.state == "queued").order_by(message.c.id)).first()
        assert new is not None
        assert new.expires_at == panel.now + timedelta(hours=panel.settings.kinds.manual.validity_hours)
        assert conn.scalar(select(message.c.state).where(message.c.id == first)) == "failed", "the old one stays"
        noted = [(each.who, each.action, each.subject) for each in audit.entries(conn, 2)]
    assert noted == [("elena", "failed.resend", f"message {second}"), ("elena", "failed.resend", f"message {first}")]
    assert "изпратено отново като ново" in operator.page(f"/messages/mt/{first}")


@pytest.mark.parametrize("kind", ["reply", "reminder", "outage", "otp"])
def test_a_kind_that_is_of_its_moment_or_of_a_run_is_not_sent_again(panel: RunningPanel, kind: str) -> None:
    mine, other = failed(panel), failed(panel, kind)
    assert "не се изпраща отново на ръка" in decide(panel.signed_in("operator"), "resend", mine, other)
    assert queued(panel) == [], "all or none"
    assert waiting(panel) == [mine, other]


def test_a_text_that_was_redacted_is_not_sent_again(panel: RunningPanel) -> None:
    with pytest.raises(NotFailed, match="it was redacted"):
        resend(panel, failed(panel, text=f"[redacted manual {'0' * 64}]"))


def test_nothing_goes_to_a_wrong_number(panel: RunningPanel) -> None:
    message_id = failed(panel)
    with panel.writing() as conn:
        subscriptions.mark_wrong_number(conn, PHONES[0], "bg-Latn", "ivo", panel.now)
    with pytest.raises(NotFailed, match="wrong number"):
        resend(panel, message_id)


@pytest.mark.parametrize("state", ["sent", "held", "in_doubt", "delivered"])
def test_only_a_failed_one_is_decided_here(panel: RunningPanel, state: str) -> None:
    message_id = failed(panel, state=state)
    with pytest.raises(NotFailed, match=f"is {state}"):
        resend(panel, message_id)
    with pytest.raises(NotFailed, match="does not exist"):
        resend(panel, 4711)


def test_of_two_people_the_second_is_told_who_was_quicker(panel: RunningPanel) -> None:
    message_id = failed(panel)
    resend(panel, message_id)
    answer = decide(panel.signed_in("operator"), "resend", message_id)
    assert f"съобщение {message_id} междувременно беше решено от ivo" in answer
    assert len(queued(panel)) == 1


def test_many_are_closed_with_a_note_that_stays_with_them(panel: RunningPanel) -> None:
    first, second = failed(panel, "reminder"), failed(panel)
    technician = panel.signed_in("technician")
    assert "2 съобщения са приключени" in decide(technician, "close", first, second, note="  ask <b> for  it ")
    assert waiting(panel) == []
    with panel.writing() as conn:
        kept = rows.decision(conn, first)
        assert kept is not None
        assert (kept.outcome, kept.note, kept.by) == (FailedOutcome.CLOSED, "ask <b> for it", "elena")
        assert audit.entries(conn, 1)[0].action == "failed.close"
    assert "ask &lt;b&gt; for it" in technician.page(f"/messages/mt/{first}")


def test_nothing_is_closed_without_a_note(panel: RunningPanel) -> None:
    message_id = failed(panel)
    assert "иска бележка" in decide(panel.signed_in("technician"), "close", message_id, note="  ")
    assert waiting(panel) == [message_id]


def test_a_technician_closes_and_does_not_send(panel: RunningPanel) -> None:
    message_id = failed(panel)
    technician = panel.signed_in("technician")
    page = technician.page(QUEUE)
    assert "/messages/failed/close" in page
    assert "/messages/failed/resend" not in page
    assert "/messages/failed/resend" not in technician.page(f"/messages/mt/{message_id}")


def test_on_its_own_page_one_is_decided_and_shown_there(panel: RunningPanel) -> None:
    message_id = failed(panel)
    operator = panel.signed_in("operator")
    page = operator.page(f"/messages/mt/{message_id}")
    assert "Какво да се направи" in page
    data = {"id": str(message_id), "back": f"/messages/mt/{message_id}", "csrf_token": operator.token("/")}
    response = operator.client.post("/messages/failed/resend", data=data)
    assert response.headers["Location"] == f"/messages/mt/{message_id}"
    assert "Какво да се направи" not in operator.page(f"/messages/mt/{message_id}")
    elsewhere = operator.client.post("/messages/failed/resend", data={**data, "back": "//evil.example"})
    assert elsewhere.headers["Location"] == QUEUE


def test_the_queue_tells_why_in_plain_words(panel: RunningPanel) -> None:
    failed(panel, "reply")
    page = panel.signed_in("operator").page(QUEUE)
    assert "Мрежата не познава този абонат (CMS 28: unidentified subscriber)." in page
    assert "Този вид не се изпраща отново на ръка" in page


def test_the_command_line_does_the_same(panel: RunningPanel, tmp_path: object) -> None:
    first, second = failed(panel), failed(panel, "reply")
    config = f"{tmp_path}/modemd.toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'[database]\nurl = "{panel.settings.database.url}"\n[daemon]\nname = "{HOST}"\n')
    runner = CliRunner()
    answer = runner.invoke(cli, ["failed", "resend", str(first), "-c", config], catch_exceptions=False)
    assert answer.output == f"{first} is sent again as {second + 1}.\n"
    closed = runner.invoke(cli, ["failed", "close", str(second), "--note", "x", "-c", config], catch_exceptions=False)
    assert closed.output == "1 closed.\n"
    assert waiting(panel) == []
