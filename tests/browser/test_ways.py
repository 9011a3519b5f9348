"""The ways that people go through the panel, from page to page."""

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from modemd.billing.dropfolder import REJECT, DropFolder
from modemd.service import factors, handover
from modemd.store import outbox, wishes
from modemd.store.outbox import Sending, Sent, Want
from modemd.store.schema import WishState, line
from tests.billing.office import Office, items
from tests.browser.conftest import Visit
from tests.panels import HOST, PASSWORD, RunningPanel
from tests.web import billing

pytestmark = pytest.mark.long


def test_a_question_is_answered_and_both_are_found_by_the_number(visit: Visit) -> None:
    visit.panel.start_daemon()
    line_id = visit.panel.add_modem(1, name="A1 first")
    visit.sign_in("elena", "operator")
    question = visit.panel.receive(line_id, "smetka", "+359888000101")
    visit.open()
    expect(visit.page.get_by_text("smetka")).to_be_visible()
    visit.panel.answer(question)
    visit.panel.send(line_id, in_reply_to=question, recipient="+359888000101")
    expect(visit.page.get_by_text("37,91 EUR")).to_be_visible()
    visit.page.get_by_role("link", name="Съобщения").click()
    visit.page.get_by_label("Телефонен номер").fill("0888 000 101")
    visit.page.get_by_role("button", name="Покажи разговора").click()
    expect(visit.page.get_by_role("article")).to_have_count(2)
    visit.page.get_by_role("article").last.get_by_role("link").click()
    expect(visit.page.get_by_text("приета от мрежата")).to_be_visible()
    assert visit.faults == []


def test_a_run_goes_from_preview_to_results_in_the_hands_of_two(visit: Visit) -> None:
    visit.panel.start_daemon()
    visit.panel.add_modem(1, name="A1 first")
    billing.debtors(visit.panel)
    visit.sign_in("elena", "operator", path="/reminders/")
    visit.page.get_by_role("button", name="Преглед на напомнянията").click()
    expect(visit.page.get_by_text("Чака одобрение")).to_be_visible()
    browser = visit.page.context.browser
    assert browser is not None
    window = browser.new_context()
    manager = Visit(visit.panel, visit.url, window.new_page())
    manager.sign_in("boris", "manager", path="/reminders/1")
    manager.page.get_by_role("button", name="Одобри този преглед").click()
    expect(visit.page.get_by_text("Чака пускане")).to_be_visible()  # without a reload
    visit.page.get_by_label("До колко души отива?").fill("3")
    visit.page.wait_for_timeout(2500)  # a refresh takes nothing that is being typed
    expect(visit.page.get_by_label("До колко души отива?")).to_have_value("3")
    expect(visit.page.get_by_label("До колко души отива?")).to_be_focused()
    visit.page.get_by_role("button", name="Пусни", exact=True).click()
    expect(visit.page.get_by_text("Готови са 0 от 3 души.")).to_be_visible()
    expect(manager.page.get_by_text("Готови са 0 от 3 души.")).to_be_visible()
    manager.page.get_by_role("button", name="Спри веднага").click()
    expect(visit.page.get_by_role("button", name="Продължи")).to_be_visible()
    visit.page.get_by_role("button", name="Продължи").click()
    expect(visit.page.get_by_role("button", name="Спри веднага")).to_be_visible()
    send_what_is_handed_over(visit.panel)
    expect(visit.page.get_by_role("heading", name="Какво стана с тях")).to_be_visible()
    expect(visit.page.locator("dl", has_text="изпратено").last).to_contain_text("3")
    expect(visit.page.get_by_text("Готови са 3 от 3 души.")).to_be_visible()
    assert visit.faults == manager.faults == []
    window.close()


def send_what_is_handed_over(panel: RunningPanel) -> None:
    """As the daemon does: the run moves on, and the network takes its messages."""
    with panel.writing() as conn:
        handover.tick(conn, panel.settings, panel.now)
        line_id = conn.scalars(select(line.c.id)).one()
        while claims := outbox.claim(conn, [Want(line_id, 1)], panel.now, HOST, timedelta(seconds=30))[0]:
            part = claims[0].open_parts[0].id
            outbox.mark_sending(conn, [Sending(part, line_id)], panel.now, HOST)
            outbox.sent(conn, [Sent(part, claims[0].message_id)], panel.now)
            outbox.follow_up(conn, [part], panel.now)
        handover.tick(conn, panel.settings, panel.now)


def test_a_message_is_followed_to_its_end_without_a_reload(visit: Visit) -> None:
    visit.panel.start_daemon()
    visit.panel.add_modem(1, name="A1 first")
    visit.panel.queue("hello", "manual")
    visit.sign_in("elena", "operator", path="/messages/mt/1")
    life = visit.page.locator("ol.log")
    expect(life).to_contain_text("Влезе в опашката.")
    visit.page.evaluate("window.notReloaded = true")
    send_what_is_handed_over(visit.panel)
    expect(life).to_contain_text("Част 1 от 1 приета от мрежата.")
    expect(visit.page.locator(".standing")).to_contain_text("изпратено")
    assert visit.page.evaluate("window.notReloaded")
    assert visit.faults == []


def test_a_held_file_is_approved(visit: Visit) -> None:
    billing.a_held_file(visit.panel)
    visit.sign_in("boris", "manager", path="/files/")
    expect(visit.page.get_by_text("−50,6 %")).to_be_visible()
    visit.page.get_by_role("button", name="Верен е: приеми го").click()
    expect(visit.page.get_by_text("openitems-0002.csv е одобрен")).to_be_visible()
    assert visit.faults == []


def test_a_held_file_is_refused_and_goes_to_reject(visit: Visit, tmp_path: Path) -> None:
    folder = DropFolder(visit.panel.engine, tmp_path, HOST)
    folder.prepare()
    office = Office(visit.panel.engine, tmp_path / "in")
    for lines in (items(10), items(20, seq=2)):
        office.put(lines)
    folder.take(visit.panel.now)
    visit.sign_in("boris", "manager")
    visit.page.get_by_role("link", name="Файлове").click()
    held = visit.page.get_by_role("region", name="handover-2.csv")
    expect(held.get_by_role("row", name="Редове 20 10 100 %")).to_be_visible()
    expect(held.get_by_role("row", name="Дължима сума 758,20 EUR 379,10 EUR 100 %")).to_be_visible()
    visit.page.get_by_role("button", name="Грешен е: откажи го").click()
    expect(visit.page.get_by_text("handover-2.csv е отказан")).to_be_visible()
    expect(visit.page.get_by_text("Верен ли е?")).to_have_count(0)
    refused = visit.page.get_by_role("row", name="handover-2.csv")
    for shown in ("отказан", "boris", "редовете му от 10 стават 20"):
        expect(refused).to_contain_text(shown)
    folder.take(visit.panel.now)
    assert (tmp_path / REJECT / "handover-2.csv").exists()
    assert (tmp_path / REJECT / "handover-2.csv.reason.txt").read_text() == "a person has declined it\n"
    assert visit.faults == []


def test_a_second_factor_is_switched_on_and_asked_for(visit: Visit) -> None:
    visit.sign_in("ivan", "technician")
    visit.page.get_by_role("link", name="ivan").click()
    authenticator = pyotp.TOTP(visit.page.locator("code").inner_text())
    visit.page.get_by_label("Код от приложението").fill(authenticator.at(visit.panel.now))
    visit.page.get_by_role("button", name="Включи").click()
    expect(visit.page.get_by_text("Отсега нататък при всяко влизане се иска код")).to_be_visible()
    assert visit.faults == []
    visit.page.get_by_role("button", name="Изход").click()
    visit.page.get_by_label("Име").fill("ivan")
    visit.page.get_by_label("Парола").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    code = visit.page.get_by_label("Код от приложението")
    expect(code).to_be_focused()
    visit.panel.now += timedelta(seconds=factors.STEP_SECONDS)  # each code is good for once
    right = authenticator.at(visit.panel.now)
    code.fill(f"{(int(right) + 1) % 1_000_000:06}")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("alert")).to_have_text("Кодът е грешен или вече е използван. Изчакайте следващия.")
    code.fill(right)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/")
    expect(visit.page.get_by_role("link", name="ivan")).to_be_visible()


def test_parts_and_alphabet_come_while_typing_and_one_click_makes_it_latin(visit: Visit) -> None:
    visit.sign_in("elena", "operator", path="/write/")
    visit.page.get_by_label("Получатели").fill("0888 000 101, 0888 000 102")
    visit.page.get_by_label("Текст").fill("Здравейте, днес няма ток.")
    expect(visit.page.get_by_text("кирилица (UCS-2)")).to_be_visible()
    visit.page.get_by_role("button", name="Напиши го на латиница").click()
    expect(visit.page.get_by_label("Текст")).to_have_value("Zdraveyte, dnes nyama tok.")
    expect(visit.page.get_by_text("латиница (GSM 7 бита)")).to_be_visible()
    visit.page.get_by_role("button", name="Изпрати", exact=True).click()
    expect(visit.page.get_by_text("2 съобщения са на път")).to_be_visible()
    assert visit.faults == []


def test_a_wish_is_pending_until_the_daemon_has_done_it(visit: Visit) -> None:
    visit.panel.start_daemon()
    visit.panel.add_modem(1, name="A1 first")
    visit.sign_in("ivan", "technician")
    visit.page.get_by_role("link", name="A1 first").click()
    visit.page.get_by_role("button", name="Започни отначало").click()
    expect(visit.page.get_by_text("чака", exact=True)).to_be_visible()
    with visit.panel.writing() as conn:
        wishes.answer(conn, 1, WishState.DONE, "ready", visit.panel.now)
    expect(visit.page.get_by_text("изпълнено", exact=True)).to_be_visible()
    assert visit.faults == []


def test_a_text_is_counted_while_it_is_typed_and_its_version_taken_again(visit: Visit) -> None:
    visit.sign_in("maria", "manager", path="/reminders/texts/")
    form = visit.page.locator("#welcome-en")
    text = form.get_by_role("textbox")
    text.fill("{supplier}: hello, customer {customers}. Info {info}" + " x" * 60)
    expect(form.get_by_text("най-много 2 части")).to_be_visible()
    text.fill("{supplier}: hello")
    expect(form.get_by_text("Би бил отказан")).to_be_visible()
    text.fill("{supplier}: hello, customer {customers}. Info {info}")
    expect(form.get_by_text("най-много 1 част")).to_be_visible()
    form.get_by_role("button", name="Запази").click()
    visit.page.locator("#welcome-en").get_by_role("link", name="Версии").click()
    expect(visit.page.get_by_text("maria")).to_have_count(2)  # the version's, and who is signed in
    visit.page.get_by_role("button", name="Върни тази версия").click()
    expect(visit.page.get_by_role("listitem")).to_have_count(3)
    assert visit.faults == []
