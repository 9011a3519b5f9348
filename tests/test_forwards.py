"""SMS become letters by rule, in order, each at least once."""

from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import Engine

from modemd import mail
from modemd.config import Settings
from modemd.forwards import Forwards
from modemd.messages import ReceivedSms
from modemd.store import database as opening
from modemd.store import inbox, lines
from modemd.store.lines import Sim
from tests.panels import NOW


class Office:
    def __init__(self, engine: Engine, *rules: dict[str, Any]) -> None:
        self.engine = engine
        self.letters: list[tuple[str, str, Sequence[str]]] = []
        self.ill = False
        self.settings = Settings.model_validate({"forward": list(rules)})
        self.forwards = Forwards(self.settings, engine, self._send)
        self._references = 0

    def again(self) -> None:
        """The daemon starts anew."""
        self.forwards = Forwards(self.settings, self.engine, self._send)

    def receive(self, *texts: str, number: str = "+359881234567") -> None:
        for text in texts:
            self._references += 1
            sms = ReceivedSms(f"00{self._references:06x}", "SM", 1, NOW, number, True, text)
            with opening.writing(self.engine) as conn:
                line = lines.identify(conn, Sim("8935901000000000001", None), "h", "/dev/p", NOW, adopt=True)
                inbox.record(conn, line.id, [sms], NOW)

    def _send(self, _relay: object, subject: str, text: str, to: Sequence[str]) -> None:
        if self.ill:
            raise ConnectionRefusedError
        self.letters.append((subject, text.partition("\n")[0], to))

    def texts(self) -> list[str]:
        return [text for _, text, _ in self.letters]


DESK = {"name": "desk", "to": ["desk@example.bg"]}


def test_what_comes_in_from_now_on_is_forwarded_once_in_order(database: Engine) -> None:
    office = Office(database, DESK)
    office.receive("before")
    office.forwards.look()
    office.receive("one", "two")
    office.forwards.look()
    office.again()
    office.forwards.look()
    assert office.letters == [("SMS +359881234567", text, ("desk@example.bg",)) for text in ("one", "two")]


def test_a_relay_that_is_down_loses_nothing_and_the_order_stays(database: Engine) -> None:
    office = Office(database, DESK)
    office.forwards.look()
    office.receive("one")
    office.ill = True
    with pytest.raises(ConnectionRefusedError):
        office.forwards.look()
    office.receive("two")
    office.ill = False
    office.again()
    office.forwards.look()
    assert office.texts() == ["one", "two"]


@pytest.mark.parametrize(
    ("rule", "forwarded"),
    [
        ({"words": ["АВАРИЯ"]}, ["авария тук"]),
        ({"numbers": ["+49"]}, ["from abroad"]),
        ({"lines": ["gsm1"]}, ["hello", "авария тук", "from abroad"]),
        ({"lines": ["gsm2"]}, []),
    ],
)
def test_a_rule_chooses_by_number_words_and_line(database: Engine, rule: dict[str, Any], forwarded: list[str]) -> None:
    office = Office(database, {**DESK, **rule})
    office.forwards.look()
    office.receive("hello", "авария тук")
    office.receive("from abroad", number="+4915112345678")
    office.forwards.look()
    assert office.texts() == forwarded


def test_a_page_without_a_match_does_not_end_the_look(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modemd.forwards.AT_A_TIME", 2)
    office = Office(database, {**DESK, "words": ["x"]})
    office.forwards.look()
    office.receive("a", "b", "c", "x")
    office.forwards.look()
    assert office.texts() == ["x"]


def test_a_hostile_sender_and_text_write_no_header(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[EmailMessage] = []

    class Relay:
        def __enter__(self) -> "Relay":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def send_message(self, letter: EmailMessage) -> None:
            sent.append(letter)

    monkeypatch.setattr(mail, "_connected", lambda _settings: Relay())
    office = Office(database, DESK)
    office.forwards = Forwards(office.settings, database)
    office.forwards.look()
    office.receive("hello\r\nBcc: eve@example.bg\r\n\r\n.\r\n", number="A1\r\nBcc: eve@example.bg")
    office.forwards.look()
    (letter,) = sent
    assert "Bcc" not in letter
    assert letter["To"] == "desk@example.bg"
    assert letter["Subject"] == "SMS A1Bcc: eve@example.bg"
