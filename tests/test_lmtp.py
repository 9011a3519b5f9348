"""Letters become SMS: from whom, to whom, once, and nothing else than text."""

import asyncio
import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from modemd import lmtp
from modemd.config import Settings
from modemd.store import database as opening
from modemd.store import listing
from tests.panels import NOW

ANA = "ana@example.bg"
PHONE = "+359888000101"


class House:
    """The port, and the house's mail server before it."""

    def __init__(self, engine: Engine, place: Path, **mail: Any) -> None:
        self.engine = engine
        self.place = place
        given = {"lmtp": str(place), "senders": [ANA, "@staff.example.bg"], **mail}
        self.settings = Settings.model_validate({"mail": given})
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(lmtp.serve(self.settings, engine, lambda: NOW))
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def start(self) -> None:
        self._thread.start()
        while not self.place.exists() and self._thread.is_alive():
            threading.Event().wait(0.01)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    @contextmanager
    def server(self) -> Iterator[smtplib.LMTP]:
        with smtplib.LMTP(str(self.place), timeout=20) as server:
            yield server

    def bring(self, letter: EmailMessage | bytes, *to: str, sender: str = ANA) -> dict[str, Any]:
        raw = letter if isinstance(letter, bytes) else bytes(letter)
        with self.server() as server:
            refused = dict(server.sendmail(sender, [f"{each}@sms.example.bg" for each in to or (PHONE,)], raw))
            for _ in to[1:]:
                assert server.getreply()[0] == 250  # one for each recipient, of which smtplib reads the first
            return refused

    def queued(self) -> list[tuple[str | None, str | None]]:
        with opening.reading(self.engine) as conn:
            return [(row.number, row.text) for row in listing.find(conn, direction="mt")]


@pytest.fixture
def make_house(database: Engine, tmp_path: Path) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(**mail: Any) -> House:
        made.append(House(database, tmp_path / f"lmtp{len(made)}", **mail))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()


def letter(text: str = "Hello", subject: str = "", message_id: str = "<1@example.bg>") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["Message-ID"], made["From"] = subject, message_id, ANA
    made.set_content(text)
    return made


def test_a_letter_becomes_an_sms_for_each_recipient(house: House) -> None:
    house.bring(letter("Сметка €\n\n-- \nAna, 070 010 010"), PHONE, "0888000102")
    assert house.queued() == [(PHONE, "Сметка €"), ("+359888000102", "Сметка €")]


def test_a_letter_that_is_brought_again_is_sent_once(house: House) -> None:
    for to in ((PHONE,), (PHONE,), (PHONE, "0888000102")):
        assert house.bring(letter(), *to) == {}
    assert [number for number, _ in house.queued()] == [PHONE, "+359888000102"]
    house.bring(letter(message_id="<2@example.bg>"))
    assert len(house.queued()) == 3


def test_the_plain_part_is_taken_and_else_the_subject(house: House) -> None:
    both = letter("plain")
    both.add_alternative("<p>rich</p>", subtype="html")
    both.add_attachment(b"\x00\x01", maintype="application", subtype="octet-stream")
    house.bring(both)
    house.bring(letter("\n", "by subject", "<3@example.bg>"))
    assert [text for _, text in house.queued()] == ["plain", "by subject"]


@pytest.mark.parametrize(
    "sender", ["eve@example.bg", "ana@example.bg.evil.bg", "", "@staff.example.bg", "x@y@staff.example.bg"]
)
def test_nobody_else_may_write(house: House, sender: str) -> None:
    with pytest.raises(smtplib.SMTPException):
        house.bring(letter(), sender=sender)
    assert house.queued() == []


def test_all_of_a_domain_may_write(house: House) -> None:
    house.bring(letter(), sender="Maria@Staff.example.bg")
    assert len(house.queued()) == 1


@pytest.mark.parametrize("to", ["+4915112345678", "170077", "ana", "0888"])
def test_a_number_of_another_prefix_or_none_is_refused(house: House, to: str) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        house.bring(letter(), to)
    assert house.queued() == []


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: \r\n\r\n",
        b"Content-Type: text/plain; charset=martian\r\n\r\nhello",
        b"\r\na\x00b",
        b"\r\n" + (b"x" * 70 + b"\r\n") * 30,
        b"Content-Type: text/html\r\n\r\n<p>rich</p>",
    ],
)
def test_what_is_no_text_that_fits_is_refused_whole(house: House, raw: bytes) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        house.bring(raw)
    assert refused.value.smtp_code == 554
    assert house.queued() == []


def test_a_letter_of_10_mb_is_refused(house: House) -> None:
    with pytest.raises((smtplib.SMTPException, OSError)):
        house.bring(b"\r\n" + b"x" * 76 + (b"\r\n" + b"x" * 76) * 130_000)
    assert house.queued() == []


def test_a_sender_s_sms_are_limited_and_brought_again_later(make_house: Callable[..., House]) -> None:
    house = make_house(per_hour=1)
    house.bring(letter())
    with pytest.raises(smtplib.SMTPDataError) as refused:
        house.bring(letter(message_id="<2@example.bg>"))
    assert refused.value.smtp_code == 451
    assert len(house.queued()) == 1


def test_commands_in_addresses_and_headers_stay_text(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "modemd")
    house.bring(b"Subject: forged\r\n\r\nforged\r\n.\r\nQUIT")
    assert "forged" not in caplog.text
    assert PHONE not in caplog.text


def test_the_socket_is_for_user_and_group_alone(house: House) -> None:
    assert house.place.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    "place", ["0.0.0.0:2424", "10.1.2.3:2424", "[::]:2424", "localhost:2424", ":2424", "127.0.0.1"]
)
def test_it_listens_in_the_house_alone(place: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"mail": {"lmtp": place}})
