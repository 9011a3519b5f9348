"""The texts of the service: changed with their parts counted while typing, and every version kept."""

import re

import pytest

from tests.panels import RunningPanel, Visitor

PATH = "/reminders/texts/welcome/en"
NEW = "{supplier}: welcome, customer {customers}. Info {info}"


@pytest.fixture
def manager(panel: RunningPanel) -> Visitor:
    return panel.signed_in("manager", "maria")


def save(manager: Visitor, text: str) -> None:
    manager.post(PATH, {"text": text}, form_at="/reminders/texts/")


def count(manager: Visitor, text: str, path: str = PATH) -> str:
    return manager.post(f"{path}/count", {"text": text}, form_at="/reminders/texts/").text


def test_a_text_is_changed_and_taken_back_and_a_long_one_refused(manager: Visitor) -> None:
    save(manager, NEW)
    assert NEW in manager.page("/reminders/texts/")
    save(manager, NEW + " x" * 400)
    assert "Не беше изпълнено" in manager.page("/reminders/texts/")
    assert NEW in manager.page("/reminders/texts/")
    manager.post(PATH, {"reset": "1"}, form_at="/reminders/texts/")
    assert NEW not in manager.page("/reminders/texts/")


def test_what_is_typed_is_counted_as_it_is_counted_when_it_is_saved(manager: Visitor) -> None:
    assert "най-много 1 част" in count(manager, NEW)
    assert "най-много 2 части" in count(manager, NEW + " y" * 60)
    assert "Би бил отказан: В най-лошия случай би искал 3 части" in count(manager, NEW + "x" * 260)
    assert "Би бил отказан: Липсва {info}." in count(manager, "{supplier}: {customers}")
    assert manager.page(f"{PATH}/versions").count('<li class="card-box">') == 1, "nothing is saved by counting"


def test_a_count_at_the_worst_case_is_of_the_longest_facts(manager: Visitor) -> None:
    """160 septets with the longest customers are one part, 161 are two."""
    one = count(manager, NEW)
    left = int(re.search(r"остават ([0-9]+)", one)[1])  # type: ignore[index]
    assert "най-много 1 част" in count(manager, NEW + "x" * left)
    assert "най-много 2 части" in count(manager, NEW + "x" * (left + 1))


def test_every_version_is_told_with_who_when_and_what_changed(manager: Visitor) -> None:
    save(manager, NEW)
    save(manager, NEW.replace("welcome", "good day"))
    page = manager.page(f"{PATH}/versions")
    assert page.count('<li class="card-box">') == 3
    newest, first, shipped = page.split('<li class="card-box">')[1:]
    assert "<del>welcome</del><ins>good day</ins>" in newest
    assert "maria" in newest
    assert "maria" in first
    assert "в сила" in newest
    assert "Текстът на програмата" in shipped
    assert "<ins>" not in shipped


def test_an_old_version_is_taken_again_as_the_newest(manager: Visitor) -> None:
    save(manager, NEW)
    save(manager, NEW.replace("welcome", "good day"))
    old = re.findall(r'name="version" value="([0-9]+)"', manager.page(f"{PATH}/versions"))
    manager.post(f"{PATH}/restore", {"version": old[0]}, form_at=f"{PATH}/versions")
    assert NEW in manager.page("/reminders/texts/")
    assert manager.page(f"{PATH}/versions").count('<li class="card-box">') == 4
    manager.post(f"{PATH}/restore", {"version": "0"}, form_at=f"{PATH}/versions")
    assert NEW not in manager.page("/reminders/texts/")


def test_a_version_of_another_text_is_not_taken(manager: Visitor) -> None:
    save(manager, NEW)
    version = re.findall(r'name="version" value="([0-9]+)"', manager.page(f"{PATH}/versions"))[0]
    other = "/reminders/texts/welcome/bg-Latn"
    response = manager.post(f"{other}/restore", {"version": str(int(version) + 1)}, form_at=f"{PATH}/versions")
    assert response.status_code == 404
    assert manager.get("/reminders/texts/nothing/en/versions").status_code == 404


def test_a_hostile_text_shows_as_text(manager: Visitor) -> None:
    save(manager, NEW + "<script>x</script>")
    page = manager.page(f"{PATH}/versions")
    assert "<script>x" not in page
    assert "&lt;script&gt;" in page.replace("</ins><ins>", "")
