"""The simulated phone of the demo; the network at the panel's edge is a fake one."""

import pytest

from tests.panels import PHONES, RunningPanel

FIRST = "%2B359888000101"


def test_the_first_of_the_suggested_numbers_is_picked(panel: RunningPanel) -> None:
    page = panel.signed_in().page("/phone/")
    for number in PHONES:
        assert number in page
    assert f'{FIRST}" aria-current="page"' in page


def test_a_text_and_its_answer_show_in_the_conversation(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    response = visitor.post("/phone/", {"number": PHONES[1], "text": "smetka"}, form_at="/")
    assert response.headers["Location"] == "/phone/?number=%2B359888000102"
    assert [each["direction"] for each in panel.phones.said[PHONES[1]]] == ["sent", "received"]
    page = visitor.page("/phone/?number=%2B359888000102")
    assert page.index("<bdi>smetka") < page.index("<bdi>Elektrohold")
    assert visitor.page("/phone/live?number=%2B359888000102").strip() in page


def test_another_number_may_be_typed_as_people_write_it(panel: RunningPanel) -> None:
    page = panel.signed_in().page("/phone/?number=0888+000+199")
    assert 'name="number" value="+359888000199"' in page


@pytest.mark.parametrize("number", ["hello", "12", "<script>", "+", "0" * 60])
def test_what_is_no_number_is_said_and_not_picked(panel: RunningPanel, number: str) -> None:
    visitor = panel.signed_in()
    response = visitor.get("/phone/", query_string={"number": number}, follow_redirects=True)
    assert "не е телефонен номер" in response.text
    assert "<script>" not in response.text
    assert visitor.get("/phone/live", query_string={"number": number}).status_code == 502


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"number": PHONES[0], "text": ""}, "Напишете нещо"),
        ({"number": PHONES[0], "text": "   "}, "Напишете нещо"),
        ({"number": PHONES[0], "text": "x" * 1001}, "1000"),
        ({"number": "hello", "text": "smetka"}, "не е телефонен номер"),
    ],
)
def test_what_cannot_be_texted_is_said_and_not_sent(panel: RunningPanel, fields: dict[str, str], shown: str) -> None:
    visitor = panel.signed_in()
    response = visitor.post("/phone/", fields, form_at="/")
    assert response.status_code == 302
    assert panel.phones.said == {}
    assert shown in visitor.page("/phone/")


def test_a_network_that_does_not_answer_is_said(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    panel.phones.silent = True
    page = visitor.page("/phone/")
    assert "Симулираната мрежа не отговаря" in page
    assert "/run/bank" in page
    assert visitor.get(f"/phone/live?number={FIRST}").status_code == 502


def test_a_text_that_the_network_refuses_is_said(panel: RunningPanel) -> None:
    visitor = panel.signed_in()
    token = visitor.token("/")
    panel.phones.silent = True
    visitor.client.post("/phone/", data={"number": PHONES[0], "text": "smetka", "csrf_token": token})
    panel.phones.silent = False
    assert "did not do it" in visitor.page("/phone/")
