"""Tokens of programs are an administrator's to give and to take; each is shown once."""

import re

from modemd.service import tokens
from modemd.store import database
from tests.panels import RunningPanel

FORM = {"name": "billing", "scopes": ["send", "read"], "days": "30", "per_minute": "60", "per_day": "0"}


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    page = visitor.post("/programs/", FORM, form_at="/programs/").text
    found = re.search(r"modemd_[\w-]{43}", page)
    assert found
    assert found[0] not in visitor.page("/programs/")
    with database.writing(panel.engine) as conn:
        token = tokens.let_in(conn, found[0], tokens.Scope.SEND, panel.now)
    assert (token.name, token.per_minute, token.created_by) == ("billing", 60, "elena")
    visitor.post("/programs/billing/revoke", form_at="/programs/")
    with database.reading(panel.engine) as conn:
        (row,) = tokens.all_of_them(conn)
    assert not row.is_good(panel.now)


def test_what_a_token_may_do_is_ticked_and_an_empty_list_says_what_to_do(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    page = visitor.page("/programs/")
    assert set(re.findall(r'type="checkbox" value="(\w+)"', page)) == set(tokens.Scope)
    assert "Още никоя програма няма токен." in page
    visitor.post("/programs/", FORM, form_at="/programs/")
    assert "Още никоя програма няма токен." not in visitor.page("/programs/")


def test_a_bad_form_makes_no_token(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    for wrong in ({"name": "A b"}, {"scopes": []}, {"scopes": ["all"]}, {"days": "0"}, {"per_minute": "-1"}):
        assert visitor.post("/programs/", {**FORM, **wrong}, form_at="/programs/").status_code == 400
    with database.reading(panel.engine) as conn:
        assert tokens.all_of_them(conn) == []


def test_what_is_not_there_is_not_revoked(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    assert visitor.post("/programs/nobody/revoke", form_at="/programs/").status_code == 302
