"""A run is previewed by one, approved by another and started by who types how many people it has."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from modemd import audit
from modemd.service.reminders.rules import Reason
from modemd.store import campaigns
from modemd.store.schema import CampaignState, FileState, campaign_recipient, message
from tests.panels import NOW, RunningPanel, Visitor
from tests.web import billing
from web import words


@pytest.fixture
def panel(panel: RunningPanel) -> RunningPanel:
    panel.start_daemon()
    panel.add_modem(1, name="A1 first")
    return panel


def state(panel: RunningPanel, campaign_id: int = 1) -> CampaignState:
    with panel.writing() as conn:
        return campaigns.get(conn, campaign_id).state


def act(visitor: Visitor, what: str, **fields: str) -> str:
    visitor.post(f"/reminders/1/{what}", fields, form_at="/reminders/1")
    return visitor.page("/reminders/1")


def test_a_run_goes_from_preview_to_start_in_the_hands_of_three(panel: RunningPanel) -> None:
    billing.debtors(panel)
    operator = panel.signed_in("operator", "elena")
    assert operator.post("/reminders/preview", form_at="/reminders/").headers["Location"] == "/reminders/1"
    page = operator.page("/reminders/1")
    assert "3 души" in page
    assert "112,40 EUR" in page
    assert "Одобри този преглед" not in page
    manager = panel.signed_in("manager", "boris")
    assert "Одобри този преглед" in manager.page("/reminders/1")
    assert "трябва да го пусне друг човек" in act(manager, "approve")
    assert state(panel) is CampaignState.APPROVED
    assert "Пусни" not in manager.page("/reminders/1").split("<h1>")[1].split("Преглед")[0]
    assert "Получателите са 3, а не 4" in act(operator, "start", recipients="4")
    assert state(panel) is CampaignState.APPROVED
    act(operator, "start", recipients="3")
    assert state(panel) is CampaignState.RUNNING
    assert "Готови са 0 от 3 души." in operator.page("/reminders/1/live")


def test_whose_turn_it_is_comes_without_a_reload(panel: RunningPanel) -> None:
    billing.a_run(panel, by="elena")
    manager, operator = panel.signed_in("manager", "boris"), panel.signed_in("operator", "elena")
    assert "Мениджър, различен от elena" in operator.page("/reminders/1/live")
    act(manager, "approve")
    assert "Мениджър, различен от elena" not in operator.page("/reminders/1/live")
    assert "До колко души отива?" in operator.page("/reminders/1/live")
    assert "трябва да го пусне друг човек" in manager.page("/reminders/1/live")


def test_what_has_ended_is_tried_on_no_phone(panel: RunningPanel) -> None:
    billing.a_run(panel, by="elena")
    operator = panel.signed_in("operator", "elena")
    assert "Изпрати ги на моя телефон" in operator.page("/reminders/1")
    assert "Изпрати ги на моя телефон" not in act(operator, "cancel")


def test_each_figure_of_a_run_has_its_name_beside_it_for_a_phone(panel: RunningPanel) -> None:
    billing.a_run(panel)
    page = panel.signed_in("operator").page("/reminders/")
    for label in ("Хора", "Части", "Прегледано", "Одобрено", "Пуснато"):
        assert f'data-label="{label}"' in page


def test_the_first_page_says_when_a_run_that_goes_on_will_be_through(panel: RunningPanel) -> None:
    billing.a_run(panel, by="elena")
    manager, operator = panel.signed_in("manager", "boris"), panel.signed_in("operator", "elena")
    act(manager, "approve")
    assert "души остават" not in manager.page("/live")
    act(operator, "start", recipients="3")
    assert "3 души остават, до 10:42" in manager.page("/live")
    act(operator, "pause")
    assert "на пауза" in manager.page("/live")


def test_nobody_approves_the_own_preview_nor_an_operator_any(panel: RunningPanel) -> None:
    billing.a_run(panel, by="boris")
    manager = panel.signed_in("manager", "boris")
    act(manager, "approve")
    operator = panel.signed_in("operator", "elena")
    assert operator.post("/reminders/1/approve", form_at="/").status_code == 403
    assert state(panel) is CampaignState.PROPOSED


def test_it_is_paused_resumed_and_cancelled(panel: RunningPanel) -> None:
    billing.a_run(panel, by="elena")
    manager, operator = panel.signed_in("manager", "boris"), panel.signed_in("operator", "elena")
    act(manager, "approve")
    act(operator, "start", recipients="3")
    for what, expected in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        act(operator, what)
        assert state(panel) == expected
    with panel.writing() as conn:
        assert set(conn.scalars(select(campaign_recipient.c.state))) == {"cancelled"}
        assert [each.action for each in audit.entries(conn, 3)] == [
            "campaign.cancel",
            "campaign.resume",
            "campaign.pause",
        ]


def test_the_reasons_and_the_reminded_add_up_to_the_file(panel: RunningPanel) -> None:
    billing.debtors(panel)
    billing.change(panel, 2, flags="V")
    billing.change(panel, 3, status="PAID")
    operator = panel.signed_in("operator")
    operator.post("/reminders/preview", form_at="/reminders/")
    table = operator.page("/reminders/1").split('<table class="table table-sm sum">')[1].split("</table>")[0]
    counts = [int(piece.split("</td>")[0]) for piece in table.split('<td class="num">')[1:]]
    assert sum(counts[:-1]) == counts[-1] == 3
    assert "уязвим клиент" in table
    assert "платена" in table


def test_without_data_or_with_old_ones_nothing_is_previewed(panel: RunningPanel) -> None:
    operator = panel.signed_in("operator")
    operator.post("/reminders/preview", form_at="/reminders/")
    assert "Не беше изпълнено" in operator.page("/reminders/")
    billing.debtors(panel)
    panel.now += timedelta(hours=49)
    operator.sign_in("elena", "correct horse battery")
    operator.post("/reminders/preview", form_at="/reminders/")
    assert "по-стари от 48 часа" in operator.page("/reminders/")


def test_five_texts_at_most_go_to_one_s_own_phone(panel: RunningPanel) -> None:
    billing.a_run(panel)
    operator = panel.signed_in("operator")
    operator.post("/reminders/1/test", {"number": "0888 000 199"}, form_at="/reminders/1")
    with panel.writing() as conn:
        sent = conn.execute(select(message.c.recipient, message.c.kind, message.c.text)).all()
    assert {(row.recipient, row.kind) for row in sent} == {("+359888000199", "manual")}
    assert 1 <= len(sent) <= 5
    assert "112,40 EUR" in sent[0].text


def test_technicians_do_not_get_there(panel: RunningPanel) -> None:
    technician = panel.signed_in("technician")
    assert technician.get("/reminders/").status_code == 403
    assert "/reminders/" not in technician.page("/")


def test_a_run_that_is_not_there_is_no_page(panel: RunningPanel) -> None:
    assert panel.signed_in().get("/reminders/7").status_code == 404
    assert panel.signed_in().get(f"/reminders/{10**30}").status_code == 404


def outage(**fields: str) -> dict[str, str]:
    return {
        "points": billing.POINT,
        "begins": "2026-11-25T09:00",
        "ends": "2026-11-25T16:00",
        "text": "",
        **fields,
    }


def test_an_outage_is_told_only_after_it_was_shown_whom_it_concerns(panel: RunningPanel) -> None:
    billing.at_point(panel, 2)
    operator = panel.signed_in("operator")
    shown = operator.post("/reminders/outage", outage(), form_at="/reminders/outage").text
    assert "2 души при 2 клиенти ще прочетат това" in shown
    with panel.writing() as conn:
        assert campaigns.newest(conn) == []
    told = operator.post("/reminders/outage", outage(confirmed="2"), form_at="/reminders/outage")
    assert told.headers["Location"] == "/reminders/1"
    assert "25.11.2026 09:00" in operator.page("/reminders/1")
    act(operator, "call_off")
    assert state(panel) is CampaignState.CANCELLED


@pytest.mark.parametrize(
    "fields",
    [{"points": "32Z0"}, {"ends": "2026-11-24T09:00"}, {"begins": "2020-01-01T00:00", "ends": "2020-01-02T00:00"}],
)
def test_an_outage_that_cannot_be_is_refused(panel: RunningPanel, fields: dict[str, str]) -> None:
    billing.at_point(panel, 1)
    operator = panel.signed_in("operator")
    response = operator.post("/reminders/outage", outage(**fields), form_at="/reminders/outage")
    assert response.status_code == 400
    assert "Не беше изпълнено" in response.text


def test_every_reason_and_state_has_its_word() -> None:
    assert set(words.LEFT_OUT) == {reason.key for reason in Reason}
    assert set(words.CAMPAIGN_STATES) == set(CampaignState)
    assert set(words.FILE_STATES) == set(FileState)
    assert words.left_out(Reason.PAID.value) == words.LEFT_OUT["paid"]


# files


def test_a_held_file_is_approved_beside_the_figures_that_held_it(panel: RunningPanel) -> None:
    file_id = billing.a_held_file(panel)
    manager = panel.signed_in("manager")
    page = manager.page("/files/")
    for shown in ("openitems-0002.csv", "−50 %", "1 234,56 EUR".replace(" ", "\u00a0", 1), "−50,6 %"):
        assert shown in page, shown
    manager.post(f"/files/{file_id}/approve", form_at="/files/")
    page = manager.page("/files/")
    assert "одобрен" in page
    assert "Верен ли е?" not in page
    manager.post(f"/files/{file_id}/decline", form_at="/files/")
    assert "вече не чака решение" in manager.page("/files/")
    with panel.writing() as conn:
        assert [each.action for each in audit.entries(conn, 5)] == ["file.approve"]


def test_each_figure_of_a_file_has_its_name_beside_it_for_a_phone(panel: RunningPanel) -> None:
    billing.a_held_file(panel)
    page = panel.signed_in("manager").page("/files/")
    for label in ("Редове", "Грешни редове", "Дължима сума", "Данни от"):
        assert f'data-label="{label}"' in page


def test_an_operator_sees_files_and_decides_nothing(panel: RunningPanel) -> None:
    billing.a_held_file(panel)
    operator = panel.signed_in("operator")
    assert "Верен е: приеми го" not in operator.page("/files/")
    assert operator.post("/files/1/decline", form_at="/").status_code == 403


# reports


def test_the_figures_of_a_period_are_shown_and_come_as_a_table(panel: RunningPanel) -> None:
    panel.send(1, "x", "reminder")
    visitor = panel.signed_in("manager")
    assert "11.2026" in visitor.page("/reports/")
    response = visitor.get("/reports/figures.csv?since=2026-11-01&until=2026-11-30")
    assert response.mimetype == "text/csv"
    assert "reminders_per_month,2026-11,1" in response.text.replace("\r", "")
    assert response.text.startswith("\ufeff")


@pytest.mark.parametrize("query", ["since=2026-11-30&until=2026-11-01", "since=1900-01-01", "since=2001-01-01"])
def test_a_period_that_cannot_be_is_said(panel: RunningPanel, query: str) -> None:
    visitor = panel.signed_in("manager")
    for path in ("/reports/", "/reports/figures.csv"):
        assert visitor.get(f"{path}?{query}").headers["Location"] == "/reports/"
    assert "Няма справка за тези дни" in visitor.page("/reports/")


def test_a_day_that_is_none_shows_the_present_month(panel: RunningPanel) -> None:
    assert f"01.11.2026 до {NOW:%d.%m.%Y}" in panel.signed_in("manager").page("/reports/?since=yesterday")
