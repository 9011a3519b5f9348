"""While the daemon is down the panel shows what is known and from when; it asks nobody for what nobody would do."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from modemd.store.schema import wish
from tests.panels import HOST, NOW, RunningPanel
from tests.web.test_access import ROUTES

SAID = f"Службата {HOST} не работи"
PAGES = {name: route.path for name, route in ROUTES.items() if route.fields is None and name.endswith(".page")}


@pytest.fixture
def stopped(panel: RunningPanel) -> RunningPanel:
    panel.start_daemon()
    line = panel.add_modem(1, name="A1 first")
    panel.send(line)
    panel.now = NOW + timedelta(minutes=5)
    return panel


def test_every_page_is_there_and_says_that_the_service_is_down_and_since_when(stopped: RunningPanel) -> None:
    visitor = stopped.signed_in()
    for name, path in PAGES.items():
        response = visitor.get(path, follow_redirects=True)
        assert response.status_code in (200, 404), name
        if response.status_code == 200:
            assert SAID in response.text, name
            assert "10:42" in response.text, name


def test_what_was_sent_is_still_read(stopped: RunningPanel) -> None:
    assert "37,91 EUR" in stopped.signed_in().page("/messages/")


@pytest.mark.parametrize("verb", ["pause", "restart", "reset"])
def test_nothing_is_asked_of_a_daemon_that_is_down(stopped: RunningPanel, verb: str) -> None:
    visitor = stopped.signed_in()
    visitor.post(f"/modem/1/wish/{verb}", form_at="/modem/1")
    assert "няма кой да го изпълни" in visitor.page("/modem/1")
    with stopped.writing() as conn:
        assert conn.scalar(select(func.count()).select_from(wish)) == 0


def test_while_it_runs_no_page_says_so(stopped: RunningPanel) -> None:
    stopped.now = NOW
    visitor = stopped.signed_in()
    assert SAID not in visitor.page("/messages/")
