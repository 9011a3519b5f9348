"""python-gsmmodem's GsmModem drives the simulated bank as it drives a modem."""

import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # escapes in its regular expressions that Python warns of
    from gsmmodem.exceptions import IncorrectPinError
    from gsmmodem.modem import GsmModem, StatusReport

from tests.peers.programs import INCOMING, OUTGOING, see_sent
from tests.simulated_bank import PATIENCE, SimulatedBank

PHONE = "+359888000101"
LONG = "Elektrohold: smetka za klient ***0001: 37,91 EUR. " * 5


class Peer:
    """A connected GsmModem and what it was told."""

    def __init__(self, port: str, pin: str | None = None) -> None:
        self.received: queue.Queue[tuple[str, str]] = queue.Queue()
        self.reports: queue.Queue[StatusReport] = queue.Queue()
        self.modem = GsmModem(
            port,
            115200,
            smsReceivedCallbackFunc=lambda sms: self.received.put((sms.number, sms.text)),
            smsStatusReportCallback=self.reports.put,
        )
        self.modem.connect(pin)


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def connect(port: str, pin: str | None = None) -> Peer:
        peers.append(Peer(port, pin))
        return peers[-1]

    yield connect
    for thread in threading.enumerate():  # it asks the modem about what was announced, and dies of a closed port
        if "threadedHandleModemNotification" in thread.name:
            thread.join(PATIENCE)
    for peer in peers:
        peer.modem.close()


@pytest.fixture
def bank(simulated_bank: Callable[..., SimulatedBank]) -> SimulatedBank:
    return simulated_bank("--report-seconds", "0.2")


def test_it_identifies_the_modem_and_its_network(bank: SimulatedBank, connect: Callable[..., Peer]) -> None:
    modem = connect(bank.port()).modem
    (known,) = bank.client.modems()
    assert (modem.imei, modem.networkName, modem.ownNumber) == (known["imei"], "A1 BG", known["number"])
    assert 0 < modem.waitForNetworkCoverage(timeout=PATIENCE) < 32


@pytest.mark.parametrize("text", ["Zdravey [{~}]", "Колко е?"], ids=["gsm7", "ucs2"])
def test_it_sends_and_hears_of_the_delivery(bank: SimulatedBank, connect: Callable[..., Peer], text: str) -> None:
    peer = connect(bank.port())
    sent = peer.modem.sendSms(PHONE, text)
    (shown,) = bank.client.phone(PHONE)
    assert shown["text"] == text
    report = peer.reports.get(timeout=PATIENCE)
    assert report.deliveryStatus == StatusReport.DELIVERED
    assert bank.events("submit")[-1]["reference"] == sent.reference


def test_it_sends_a_long_message(simulated_bank: Callable[..., SimulatedBank], connect: Callable[..., Peer]) -> None:
    bank = simulated_bank("--report-seconds", "3600")  # it loses a report that comes while it reads the one before
    connect(bank.port()).modem.sendSms(PHONE, LONG)
    (shown,) = bank.client.phone(PHONE)
    assert shown["text"] == LONG


def test_it_receives_what_phones_text_one_after_the_other(bank: SimulatedBank, connect: Callable[..., Peer]) -> None:
    peer = connect(bank.port())
    for text in ("smetka", "Сметка €", "smetka 300000000001"):
        bank.client.text(PHONE, text)
        assert peer.received.get(timeout=PATIENCE) == (PHONE, text)
        while peer.modem.listStoredSms():  # it loses what is announced while it deletes
            time.sleep(0.01)


def test_it_sends_50_and_receives_20(
    simulated_bank: Callable[..., SimulatedBank], connect: Callable[..., Peer]
) -> None:
    bank = simulated_bank("--report-seconds", "3600")  # it takes a report that comes in mid-command for an answer
    peer = connect(bank.port())
    waiting = list(INCOMING.items())
    for turn, (number, text) in enumerate(OUTGOING.items()):
        peer.modem.sendSms(number, text)
        if turn % 2 and waiting:
            asked = waiting.pop()
            bank.client.text(*asked)
            assert peer.received.get(timeout=PATIENCE) == asked
            while peer.modem.listStoredSms():  # it loses what is announced while it deletes
                time.sleep(0.01)
    assert not waiting
    see_sent(bank)


def test_it_reads_what_came_before_it_was_started(bank: SimulatedBank, connect: Callable[..., Peer]) -> None:
    bank.client.text(PHONE, "smetka")
    modem = connect(bank.port()).modem
    assert [sms.text for sms in modem.listStoredSms(memory="SM")] == ["smetka"]


def test_it_unlocks_a_sim_and_is_told_of_a_wrong_pin(
    simulated_bank: Callable[..., SimulatedBank], connect: Callable[..., Peer]
) -> None:
    bank = simulated_bank("--pin", "1234", modems=2)
    with pytest.raises(IncorrectPinError):
        connect(bank.port(0), "9999")
    modem = connect(bank.port(1), "1234").modem
    modem.waitForNetworkCoverage(timeout=PATIENCE)
    modem.sendSms(PHONE, "Zdravey")
    assert len(bank.client.phone(PHONE)) == 1


def test_it_asks_for_the_balance(bank: SimulatedBank, connect: Callable[..., Peer]) -> None:
    modem = connect(bank.port()).modem
    assert modem.sendUssd("*100#", responseTimeout=PATIENCE).message.startswith("Balans: ")
