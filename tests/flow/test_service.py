"""The whole path: a phone texts, the answer comes back through the line that was asked."""

import json
import re
from collections.abc import Callable

import pytest

from tests.flow.running import RunningService

ASKER = "+359888111001"
OTHER = "+359888111002"
STRANGER = "+359888111999"


@pytest.fixture
def running(service: Callable[..., RunningService]) -> RunningService:
    made = service(modems=2, bank_options=("--report-seconds", "0.2"))
    made.start_bank()
    made.give_customers({ASKER: ["300000000001"], OTHER: ["300000000002", "300000000003"]})
    made.start_daemon()
    made.wait_until_ready()
    return made


def test_smetka_is_answered_with_the_bill(running: RunningService) -> None:
    answer = running.answer_to(ASKER, "smetka")
    assert "klient ***0001: 37,91 EUR" in answer
    assert "Danni kam" in answer


def test_several_sites_are_one_answer_with_their_total(running: RunningService) -> None:
    answer = running.answer_to(OTHER, "Моля smetka")
    assert "***0002" in answer
    assert "***0003" in answer
    assert "Obshto 75,82 EUR" in answer


def test_a_strangers_question_and_a_strangers_customer_number_get_the_same_answer(running: RunningService) -> None:
    assert running.answer_to(STRANGER, "smetka") == running.answer_to(ASKER, "smetka 300000000002")


def test_rule_8_a_reply_leaves_through_the_line_that_was_asked(running: RunningService) -> None:
    for modem in ("modem00", "modem01"):
        before = len(running.phones.phone(ASKER))
        running.phones.text(ASKER, "smetka", modem)
        running.until(lambda before=before: len(running.phones.phone(ASKER)) > before)
        assert running.submitted()[-1]["modem"] == modem


def test_rule_9_short_codes_and_alphanumeric_senders_get_no_answer(running: RunningService) -> None:
    for sender in ("170077", "1234", "A1 BG"):
        running.phones.text(sender, "smetka")
    running.until(lambda: len(running.messages(direction="mo")) == 3)
    running.answer_to(ASKER, "smetka")  # after this one would have come
    assert [row.number for row in running.messages(direction="mt")] == [ASKER]
    assert all(row.state == "done" for row in running.messages(direction="mo"))


def test_rule_9_one_phone_is_not_answered_more_often_than_its_limit(service: Callable[..., RunningService]) -> None:
    running = service(modems=1, settings="service.answers_per_hour = 3")
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"], OTHER: ["300000000002"]})
    running.start_daemon()
    for _ in range(8):
        running.phones.text(ASKER, "smetka")
    running.until(lambda: sum(row.state == "done" for row in running.messages(direction="mo")) == 8)
    running.answer_to(OTHER, "smetka")
    assert len(running.phones.phone(ASKER)) == 3


def test_rule_13_only_to_is_the_only_number_texted(service: Callable[..., RunningService]) -> None:
    running = service(modems=1, settings=f'daemon.only_to = ["{ASKER}"]')
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"], OTHER: ["300000000002"]})
    running.start_daemon()
    running.phones.text(OTHER, "smetka")
    running.run("send", "-c", running.config, OTHER, "hello")
    running.until(lambda: [row.state for row in running.messages(direction="mt")] == ["skipped", "skipped"])
    running.answer_to(ASKER, "smetka")
    assert running.phones.phone(OTHER) == []


def test_rule_12_no_number_and_no_text_in_the_log(running: RunningService) -> None:
    running.answer_to(ASKER, "smetka tainstvena")
    running.run("send", "-c", running.config, OTHER, "tainstven tekst", "--wait")
    running.until(lambda: running.messages(direction="mt")[0].state == "delivered")
    assert running.stop_daemon() == 0
    log = running.said("run")
    events = [re.sub("=[0-9]+", "", event) for event in re.findall(r"event=.*", log)]
    assert events[:4] == [
        "event=received inbox line",
        *("event=queued message kind=reply inbox", "event=done inbox kind=bill"),
        "event=sending message part line",
    ]
    assert {"event=sent message part reference", "event=delivered message part"} <= set(events)
    words = re.sub(r"^\S+ \S+ ", "", log, flags=re.MULTILINE)  # times have digits and a comma of their own
    for secret in ("888111", "111001", "tainst", "37,91", "0001"):
        assert secret not in words


def test_send_wait_returns_when_the_message_has_gone(running: RunningService) -> None:
    sent = running.run("send", "-c", running.config, OTHER, "Здравей 😀" * 20, "--wait")
    assert sent.returncode == 0, sent.stderr
    (message,) = running.messages(direction="mt")
    assert message.id == int(sent.stdout)
    assert message.parts == 3
    running.until(lambda: running.messages(direction="mt")[0].state == "delivered")
    assert running.phones.phone(OTHER)[-1]["text"] == "Здравей 😀" * 20


def test_status_and_messages_print_what_the_contract_says(running: RunningService) -> None:
    running.answer_to(ASKER, "smetka")
    status = json.loads(running.run("status", "-c", running.config, "--json").stdout)
    assert {modem["state"] for modem in status["modems"]} == {"ready"}
    keys = {"name", "port", "host", "state", "imei", "iccid", "operator", "signal_dbm", "sent_today"}
    assert all(keys <= set(modem) for modem in status["modems"])
    assert all(modem["model_source"] is None for modem in status["modems"])  # the generic model is no real one
    assert "Standard: an unverified model" in running.run("status", "-c", running.config).stdout
    assert sum(modem["sent_today"] for modem in status["modems"]) == 1
    assert status["outbox"]["queued"] == 0
    printed = running.run("messages", "-c", running.config, "--json").stdout.splitlines()
    question, answer = (json.loads(line) for line in printed)
    keys = {"id", "direction", "number", "text", "state", "kind", "line", "parts", "created_at", "sent_at"}
    assert keys <= set(question) & set(answer)
    assert (question["direction"], question["kind"], question["text"]) == ("mo", "bill", "smetka")
    assert (answer["direction"], answer["kind"], answer["number"]) == ("mt", "reply", ASKER)
    assert answer["created_at"].endswith("+00:00")


def test_a_long_question_is_one_row_and_is_answered_once(running: RunningService) -> None:
    running.answer_to(
        ASKER, "Добър ден, бих искал да науча колко дължа за моята smetka, благодаря много предварително!"
    )
    (question,) = running.messages(direction="mo")
    assert question.parts == 2
    assert len(running.messages(direction="mt")) == 1


def test_questions_that_came_while_the_daemon_was_down_are_answered(running: RunningService) -> None:
    assert running.stop_daemon() == 0
    running.phones.text(ASKER, "smetka", "modem01")
    running.start_daemon()
    running.until(lambda: running.phones.phone(ASKER))
    running.until(lambda: [row.state for row in running.messages(direction="mt")] == ["delivered"])


def test_a_status_report_that_came_while_the_daemon_was_down_settles_its_message(
    service: Callable[..., RunningService],
) -> None:
    running = service(modems=1, bank_options=("--report-seconds", "2"))
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready()
    assert running.run("send", "-c", running.config, OTHER, "hello", "--wait").returncode == 0
    running.kill_daemon()
    running.until(lambda: any(event["event"] == "report" for event in running.network_events()))
    running.start_daemon()
    running.until(lambda: [row.state for row in running.messages(direction="mt")] == ["delivered"])


def test_a_csv_file_is_queued_whole_or_not_at_all(running: RunningService) -> None:
    bad = running.folder / "bad.csv"
    bad.write_text(f"to,text\n{OTHER},hello\nnobody,hello\n{OTHER},\n", encoding="utf-8")
    refused = running.run("send", "-c", running.config, "--csv", bad)
    assert refused.returncode == 1
    assert "line 3" in refused.stderr
    assert "line 4" in refused.stderr
    assert running.messages() == []
    good = running.folder / "good.csv"
    good.write_text(f"to,text,id\n{OTHER},one,a\n170077,two,b\n", encoding="utf-8")
    queued = running.run("send", "-c", running.config, "--csv", good, "--wait")
    assert queued.returncode == 0, queued.stderr
    assert len(queued.stdout.splitlines()) == 2
    again = running.run("send", "-c", running.config, "--csv", good)
    assert again.returncode == 1
    assert len(running.messages()) == 2
