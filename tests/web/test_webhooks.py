"""Webhooks are an administrator's to make, to look at and to end."""

import pytest

from modemd.service import webhooks
from modemd.store import database
from modemd.store import webhooks as deliveries
from modemd.store.schema import Telling, webhook_delivery
from modemd.store.webhooks import Tried
from tests.panels import RunningPanel, Visitor
from web import words

FORM = {"name": "crm", "url": "https://crm.example.bg/sms", "events": ["incoming", "state"]}


def subscribe(panel: RunningPanel) -> Visitor:
    visitor = panel.signed_in()
    assert "whsec_" in visitor.post("/webhooks/", FORM, form_at="/webhooks/").text
    return visitor


def given_up(panel: RunningPanel) -> None:
    """A text came and could not be told."""
    panel.start_daemon()
    panel.receive(panel.add_modem(1), "hello")
    with panel.writing() as conn:
        deliveries.tell_incoming(conn, panel.now)
        deliveries.tried(conn, [Tried(1, Telling.GIVEN_UP, 500, "<script>\u202e", None)], panel.now)


def test_what_an_address_is_told_is_ticked_and_an_empty_list_says_what_to_do(panel: RunningPanel) -> None:
    page = panel.signed_in().page("/webhooks/")
    assert page.count('type="checkbox"') == len(words.HOOK_EVENTS)
    assert "Още на никой адрес не се съобщава нищо." in page


def test_a_webhook_is_made_and_its_secret_shown_once(panel: RunningPanel) -> None:
    visitor = subscribe(panel)
    assert "whsec_" not in visitor.page("/webhooks/")
    assert "crm.example.bg" in visitor.page("/webhooks/")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"name": "A b"}, {"url": "ftp://example.bg/"}, {"url": "https://u:p@example.bg/"}),
        *({"events": []}, {"events": ["dlr"]}),
    ],
)
def test_a_bad_form_makes_none(panel: RunningPanel, wrong: dict[str, object]) -> None:
    visitor = panel.signed_in()
    assert visitor.post("/webhooks/", {**FORM, **wrong}, form_at="/webhooks/").status_code == 400
    with database.reading(panel.engine) as conn:
        assert webhooks.all_of_them(conn) == []


def test_the_log_shows_what_failed_and_a_button_tells_it_again(panel: RunningPanel) -> None:
    visitor = subscribe(panel)
    given_up(panel)
    page = visitor.page("/webhooks/1")
    assert "&lt;script&gt;‹U+202E›" in page
    assert "/webhooks/1/1/resend" in page
    visitor.post("/webhooks/1/1/resend", form_at="/webhooks/1")
    with database.reading(panel.engine) as conn:
        row = conn.execute(webhook_delivery.select()).one()
    assert (row.outcome, row.begun_at, row.ended_at) == (Telling.WAITING, panel.now, None)
    assert "/webhooks/1/1/resend" not in visitor.page("/webhooks/1")


def test_the_list_says_how_much_waits_and_else_how_much_was_never_told(panel: RunningPanel) -> None:
    visitor = subscribe(panel)
    assert "всичко е съобщено" in visitor.page("/webhooks/")
    given_up(panel)
    assert "несъобщени: 1" in visitor.page("/webhooks/")
    visitor.post("/webhooks/1/1/resend", form_at="/webhooks/1")
    assert "чакат: 1" in visitor.page("/webhooks/")


def test_one_that_is_ended_gives_up_what_waits(panel: RunningPanel) -> None:
    visitor = subscribe(panel)
    given_up(panel)
    visitor.post("/webhooks/1/1/resend", form_at="/webhooks/1")
    visitor.post("/webhooks/1/end", form_at="/webhooks/")
    with database.reading(panel.engine) as conn:
        assert conn.execute(webhook_delivery.select()).one().outcome == Telling.GIVEN_UP
    visitor.post("/webhooks/1/1/resend", form_at="/webhooks/")
    with database.reading(panel.engine) as conn:
        assert conn.execute(webhook_delivery.select()).one().outcome == Telling.GIVEN_UP


def test_one_that_is_not_there_is_no_page(panel: RunningPanel) -> None:
    assert panel.signed_in().get(f"/webhooks/{2**70}").status_code == 404
