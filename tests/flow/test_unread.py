"""A text that nobody understands, and what a technician's commands make the daemon do with it."""

import json
from collections.abc import Callable

from tests.flow.running import RunningService

ASKER = "+359888111001"
OTHER = "+359888111002"


def test_a_technician_answers_one_text_and_teaches_the_daemon_another(service: Callable[..., RunningService]) -> None:
    running = service(modems=2)
    running.start_bank()
    running.give_customers({ASKER: ["300000000001"]})
    running.start_daemon()
    running.wait_until_ready()
    running.phones.text(OTHER, "няма ток", "modem01")
    running.phones.text(ASKER, "kolko dalzha", "modem01")
    running.until(lambda: [row.state for row in running.messages(direction="mo")] == ["unread", "unread"])
    waiting = {
        text["text"]: text for text in json.loads(running.run("unread", "list", "-c", running.config, "--json").stdout)
    }
    no_power, owing = waiting["няма ток"], waiting["kolko dalzha"]

    answered = running.run("unread", "answer", no_power["id"], "--canned", no_power["canned"], "-c", running.config)
    assert answered.returncode == 0, answered.stderr
    running.until(lambda: running.phones.phone(OTHER))
    assert "070010020" in running.phones.phone(OTHER)[0]["text"]

    running.run("unread", "spelling", owing["id"], "bill", "-c", running.config)
    running.until(lambda: running.phones.phone(ASKER))
    assert "klient ***0001: 37,91 EUR" in running.phones.phone(ASKER)[0]["text"]
    assert {row["modem"] for row in running.submitted()} == {"modem01"}  # rule 8

    again = running.answer_to(ASKER, "Kolko DALZHA?")  # nobody is asked any more
    assert "klient ***0001: 37,91 EUR" in again
    running.until(lambda: {row.state for row in running.messages(direction="mt")} <= {"sent", "delivered"})
    report = json.loads(running.run("report", "-c", running.config, "--json").stdout)
    assert (report["messages"]["by_kind"]["bill"], report["messages"]["by_kind"]["reply"]) == (2, 1)
    assert sum(report["checking_customers_per_month"].values()) == 1
    assert report["answer_seconds"]["p50"] is not None  # of the last one: people helped with the others
