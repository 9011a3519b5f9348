"""Every page as people see it, and the ways they go."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from modemd.service import factors
from modemd.store import lines
from tests.browser.conftest import Visit
from tests.panels import HOST, PASSWORD

pytestmark = pytest.mark.long

LONG = "Нещомногодълго" * 30


@pytest.fixture
def line(visit: Visit) -> int:
    visit.panel.start_daemon()
    return visit.panel.add_modem(1, name="A1 first")


def test_the_first_page_shows_modems_and_messages_after_signing_in(visit: Visit, line: int) -> None:
    visit.panel.send(line)
    visit.sign_in()
    expect(visit.page.get_by_text("Всичко е наред")).to_be_visible()
    expect(visit.page.get_by_role("listitem").filter(has_text="A1 first").first).to_contain_text("готов")
    expect(visit.page.get_by_text("37,91 EUR")).to_be_visible()
    assert visit.faults == []


def test_a_new_message_appears_without_a_reload(visit: Visit, line: int) -> None:
    visit.sign_in()
    expect(visit.page.get_by_text("Още няма съобщения")).to_be_visible()
    visit.page.evaluate("window.notReloaded = true")
    visit.panel.receive(line, "искам сметката си")
    expect(visit.page.get_by_text("искам сметката си")).to_be_visible()
    expect(visit.page.get_by_text("Още няма съобщения")).to_have_count(0)
    assert visit.page.evaluate("window.notReloaded")
    assert visit.faults == []


def test_a_modem_that_falls_ill_and_is_healed_is_seen_without_a_reload(visit: Visit, line: int) -> None:
    visit.sign_in()
    visit.panel.add_modem(1, "silent", name="A1 first", reason="no answer to AT in 5 s")
    expect(visit.page.get_by_text("1 от 1 модема иска внимание.")).to_be_visible()
    expect(visit.page.get_by_text("no answer to AT in 5 s")).to_be_visible()
    visit.panel.add_modem(1, "ready", name="A1 first")
    expect(visit.page.get_by_text("Всичко е наред")).to_be_visible()
    expect(visit.page.get_by_text("no answer to AT in 5 s")).to_have_count(0)
    assert visit.faults == []


def test_staying_current_keeps_focus_scroll_and_selection(visit: Visit, line: int) -> None:
    for number in range(20):
        visit.panel.queue(f"message {number}", "manual")
    visit.page.set_viewport_size({"width": 375, "height": 500})
    visit.sign_in()
    visit.page.evaluate("window.scrollTo(0, 300)")
    visit.page.locator(".brand").evaluate("element => element.focus({preventScroll: true})")
    visit.page.evaluate("getSelection().selectAllChildren(document.querySelector('[data-key=mt-15] .text'))")
    visit.panel.now += timedelta(seconds=1)
    visit.panel.queue("the newest one", "manual")
    expect(visit.page.get_by_text("the newest one")).to_be_attached()
    assert visit.page.evaluate("getSelection().toString()") == "message 14"
    assert visit.page.evaluate("document.activeElement.className") == "brand"
    assert visit.page.evaluate("window.scrollY") > 0


def test_the_page_shows_when_its_data_is_from(visit: Visit, line: int) -> None:
    visit.sign_in()
    expect(visit.page.get_by_text("10:42:07")).to_be_visible()
    visit.panel.now += timedelta(seconds=9)
    expect(visit.page.get_by_text("10:42:16")).to_be_visible()


def test_a_daemon_that_dies_is_seen_without_a_reload(visit: Visit, line: int) -> None:
    visit.sign_in()
    visit.panel.now += timedelta(minutes=1)
    expect(visit.page.get_by_text(f"Службата {HOST} не работи")).to_be_visible()
    with visit.panel.writing() as conn:
        lines.host_seen(conn, HOST, "first", visit.panel.now)
    expect(visit.page.get_by_text(f"Службата {HOST} не работи")).to_have_count(0)


def test_a_panel_that_cannot_be_reached_is_said_and_heals(visit: Visit, line: int) -> None:
    visit.sign_in()
    cut_off = visit.page.get_by_text("Няма връзка с панела")
    expect(cut_off).to_be_hidden()
    visit.page.route("**/live", lambda route: route.abort())
    expect(cut_off).to_be_visible()
    visit.page.unroute("**/live")
    expect(cut_off).to_be_hidden()


def test_when_the_sign_in_ends_the_page_goes_to_it(visit: Visit, line: int) -> None:
    visit.sign_in()
    visit.panel.add_person()  # a new password ends the session
    visit.page.wait_for_url("**/sign-in")
    expect(visit.page.get_by_role("button", name="Вход")).to_be_visible()


def test_hostile_texts_run_nothing(visit: Visit, line: int) -> None:
    for text in (
        "<script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 1'>",
        "\U0001f600" * 10_000,
    ):
        visit.panel.receive(line, text)
    visit.sign_in()
    expect(visit.page.get_by_text("<script>window.hacked = 1</script>")).to_be_visible()
    visit.panel.receive(line, "<svg onload='window.hacked = 1'>")
    expect(visit.page.get_by_text("<svg onload='window.hacked = 1'>")).to_be_visible()
    assert visit.page.evaluate("window.hacked === undefined")
    assert visit.overflows() == []
    assert visit.faults == []


def test_the_phone_shows_the_answer_arrive(visit: Visit) -> None:
    visit.panel.phones.answer = None
    visit.sign_in()
    visit.page.get_by_role("link", name="Телефон").click()
    visit.page.get_by_role("link", name="+359888000102").click()
    visit.page.get_by_label("Текст").fill("smetka")
    visit.page.get_by_role("button", name="Изпрати").click()
    conversation = visit.page.get_by_role("log")
    expect(conversation).to_contain_text("smetka")
    visit.panel.phones.receive("+359888000102", "Elektrohold: 37,91 EUR")
    expect(conversation).to_contain_text("37,91 EUR")
    assert visit.faults == []


def test_the_phone_keeps_what_is_being_typed_while_an_answer_arrives(visit: Visit) -> None:
    visit.sign_in(path="/phone/")
    visit.page.get_by_label("Текст").fill("half a sen")
    visit.panel.phones.receive("+359888000101", "an answer")
    expect(visit.page.get_by_role("log")).to_contain_text("an answer")
    expect(visit.page.get_by_label("Текст")).to_have_value("half a sen")
    expect(visit.page.get_by_label("Текст")).to_be_focused()


def test_a_long_conversation_stays_at_its_end(visit: Visit) -> None:
    for number in range(30):
        visit.panel.phones.receive("+359888000101", f"answer {number}")
    visit.sign_in(path="/phone/")
    expect(visit.page.get_by_text("answer 29")).to_be_in_viewport()
    visit.panel.phones.receive("+359888000101", "the last one")
    expect(visit.page.get_by_text("the last one")).to_be_in_viewport()


def test_another_phone_can_be_typed_and_one_of_the_examples_sent(visit: Visit) -> None:
    visit.sign_in(path="/phone/")
    visit.page.get_by_label("Друг номер").fill("0888 000 199")
    visit.page.get_by_role("button", name="Избор").click()
    visit.page.get_by_role("button", name="smetka", exact=True).click()
    expect(visit.page.get_by_role("log")).to_contain_text("37,91 EUR")
    assert list(visit.panel.phones.said) == ["+359888000199"]


def test_the_first_sign_in_asks_for_a_password_of_ones_own(visit: Visit) -> None:
    given = visit.panel.add_new_person()
    visit.open()
    visit.page.get_by_label("Име").fill("elena")
    visit.page.get_by_label("Парола").fill(given)
    visit.page.keyboard.press("Enter")
    visit.page.get_by_label("Нова парола", exact=True).fill(PASSWORD)
    visit.page.get_by_label("Новата парола отново").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("Паролата е сменена")).to_be_visible()
    visit.page.get_by_role("button", name="Изход").click()
    expect(visit.page.get_by_label("Име")).to_be_focused()
    assert visit.faults == []


def test_the_language_is_switched_and_kept(visit: Visit) -> None:
    visit.open("/sign-in")
    visit.page.get_by_role("button", name="English").click()
    expect(visit.page.get_by_role("button", name="Sign in")).to_be_visible()
    visit.page.reload()
    expect(visit.page.get_by_role("button", name="Sign in")).to_be_visible()
    visit.page.get_by_role("button", name="Български").click()
    expect(visit.page.get_by_role("button", name="Вход")).to_be_visible()


def looked_at(visit: Visit) -> None:
    assert visit.overflows() == []
    assert visit.barriers() == []
    assert visit.unreachable() == []
    assert visit.faults == []


def test_the_sign_in_fits_and_has_no_barriers(visit: Visit) -> None:
    visit.open("/sign-in")
    looked_at(visit)


def test_the_page_that_asks_for_the_code_fits_and_has_no_barriers(visit: Visit) -> None:
    visit.panel.add_person()
    seal = factors.seal_of(str(visit.panel.app.secret_key))
    with visit.panel.writing() as conn:
        factors.keep(conn, 1, factors.new_secret(), None, seal)
    visit.sign_in()
    expect(visit.page.get_by_label("Код от приложението")).to_be_focused()
    looked_at(visit)
    visit.page.get_by_label("Код от приложението").fill("12345")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("Кодът има 6 цифри.")).to_be_visible()
    looked_at(visit)


def test_the_pages_work_without_javascript(visit: Visit, line: int) -> None:
    window = visit.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    plain = Visit(visit.panel, visit.url, window.new_page())
    plain.sign_in(path="/phone/")
    plain.page.get_by_label("Текст").fill("smetka")
    plain.page.get_by_role("button", name="Изпрати").click()
    expect(plain.page.get_by_text("37,91 EUR")).to_be_visible()
    plain.open("/")
    expect(plain.page.get_by_text("Всичко е наред")).to_be_visible()
    window.close()
