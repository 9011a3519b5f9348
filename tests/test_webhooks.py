"""Other programs are told: signed, in order, again and again, and never where they must not be."""

import asyncio
import functools
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from modemd import destinations, webhooks
from modemd.config import Settings
from modemd.destinations import allowed
from modemd.errors import WebhookRefused
from modemd.messages import ReceivedSms
from modemd.service import queueing, tokens
from modemd.service import webhooks as service
from modemd.service.queueing import Reports, Wanted
from modemd.service.tokens import Scope
from modemd.store import database as opening
from modemd.store import inbox, lines
from modemd.store.lines import Sim
from modemd.store.schema import HookEvent, Telling, api_message, message, webhook_delivery
from tests.panels import NOW
from tests.receivers import Receiver, receiving

LOOPBACK = {"allow_networks": ["127.0.0.0/8"]}
PHONE = "+359888000101"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(webhooks, "SHARE", 0)


def in_a_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


class Office:
    """The teller over a database, at a time that tests move."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOW
        self._references = 0

    def subscribe(self, url: str, *events: HookEvent, name: str = "crm") -> str:
        with opening.writing(self.engine) as conn:
            return service.subscribe(conn, name, url, events or (HookEvent.INCOMING,), "elena", self.now)

    def receive(self, *texts: str, number: str = "+359881234567") -> None:
        for text in texts:
            self._references += 1
            sms = ReceivedSms(f"00{self._references:06x}", "SM", 1, self.now, number, True, text)
            with opening.writing(self.engine) as conn:
                line = lines.identify(conn, Sim("8935901000000000001", None), "h", "/dev/p", self.now, adopt=True)
                inbox.record(conn, line.id, [sms], self.now)

    def queue(self, *texts: str, reports: Reports | None = None) -> list[int]:
        with opening.writing(self.engine) as conn:
            if not tokens.all_of_them(conn):
                tokens.issue(conn, "billing", [Scope.SEND], 30, "elena", self.now)
            (token,) = tokens.all_of_them(conn)
            wanted = [Wanted(PHONE, text) for text in texts]
            return list(queueing.queue(conn, token, wanted, Settings(), self.now, reports=reports).ids)

    def move(self, message_id: int, state: str) -> None:
        with opening.writing(self.engine) as conn:
            conn.execute(update(message).where(message.c.id == message_id).values(state=state, state_at=self.now))

    @asynccontextmanager
    async def telling(self, **more: Any) -> AsyncIterator[None]:
        settings = Settings.model_validate({"webhooks": {**LOOPBACK, "timeout_seconds": 5, **more}})
        task = asyncio.create_task(webhooks.Webhooks(settings, self.engine, lambda: self.now).run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def told(self, message_id: int) -> str:
        """The state of which the deliveries have been made."""
        with opening.reading(self.engine) as conn:
            return str(conn.scalar(select(api_message.c.told).where(api_message.c.message_id == message_id)))

    def deliveries(self) -> list[Any]:
        with opening.reading(self.engine) as conn:
            return list(conn.execute(select(webhook_delivery).order_by(webhook_delivery.c.id)))

    def outcomes(self) -> list[str]:
        return [each.outcome for each in self.deliveries()]


@pytest.fixture
def office(database: Engine) -> Office:
    return Office(database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@in_a_loop
async def test_what_comes_in_is_told_signed_and_in_order(office: Office, receiver: Receiver) -> None:
    office.receive("before anybody wanted to know")
    secret = office.subscribe(f"{receiver.url}/sms?a=b")
    office.receive("one", "Две \U0001f4a1", "three")
    office.now = datetime.now(NOW.tzinfo)  # the verifier wants a fresh signature
    async with office.telling():
        await until(lambda: office.outcomes() == [Telling.DONE] * 3)
    assert [json.loads(each.body)["data"]["text"] for each in receiver.asked] == ["one", "Две \U0001f4a1", "three"]
    for each in receiver.asked:
        Webhook(secret).verify(each.body, each.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(each.body + b" ", each.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(each.body, {**each.headers, "webhook-timestamp": "1"})
    assert receiver.asked[0].path == "/sms?a=b"
    assert len({each.headers["webhook-id"] for each in receiver.asked}) == 3


@in_a_loop
async def test_states_of_programs_messages_are_told_and_of_nobody_elses(office: Office, receiver: Receiver) -> None:
    office.subscribe(receiver.url, HookEvent.STATE)
    (own,) = office.queue("hello")
    async with office.telling():
        for state in ("sent", "delivered"):
            office.move(own, state)
            await until(lambda state=state: receiver.asked and f'"{state}"' in receiver.asked[-1].body.decode())
        await until(lambda: office.outcomes() == [Telling.DONE] * 2)
    told = [json.loads(each.body)["data"] for each in receiver.asked]
    assert [(each["id"], each["to"], each["client"]) for each in told] == [(own, PHONE, "billing")] * 2
    assert "hello" not in str(receiver.asked)


@in_a_loop
async def test_a_dead_receiver_keeps_its_order_and_delays_nobody(office: Office, receiver: Receiver) -> None:
    with receiving(500, 500, 200) as ill:
        office.subscribe(ill.url, name="ill")
        office.subscribe(receiver.url, name="well")
        office.receive("one", "two")
        async with office.telling():
            await until(lambda: office.outcomes().count(Telling.DONE) == 2 and len(ill.asked) == 1)
            assert len(receiver.asked) == 2
            for count in (2, 3):
                await until(lambda: all(not each.claimed_until for each in office.deliveries()))
                office.now += timedelta(seconds=30)
                await until(lambda count=count: len(ill.asked) >= count)
            await until(lambda: office.outcomes() == [Telling.DONE] * 4)
        assert [json.loads(each.body)["data"]["text"] for each in ill.asked] == ["one", "one", "one", "two"]


@in_a_loop
async def test_a_slow_receiver_delays_nobody(office: Office, receiver: Receiver) -> None:
    with receiving() as slow:
        slow.hold.clear()
        office.subscribe(slow.url, name="slow")
        office.subscribe(receiver.url, name="well")
        office.receive(*"abcdefgh")
        async with office.telling():
            await until(lambda: len(receiver.asked) == 8)
            assert len(slow.asked) == 1
            slow.hold.set()
            await until(lambda: office.outcomes() == [Telling.DONE] * 16)


@in_a_loop
async def test_it_is_tried_for_two_days_with_longer_and_longer_pauses(office: Office, receiver: Receiver) -> None:
    receiver.answers = [503]
    office.subscribe(receiver.url)
    office.receive("one")
    pauses = []
    async with office.telling():
        while True:
            tried = len(receiver.asked) + 1
            await until(lambda tried=tried: office.deliveries() and office.deliveries()[0].attempts == tried)
            (row,) = office.deliveries()
            if row.outcome != Telling.WAITING:
                break
            pauses.append(row.next_at - office.now)
            office.now = row.next_at
    assert pauses[:4] == [timedelta(seconds=5 * 2**n) for n in range(4)]
    assert max(pauses) == timedelta(hours=1)
    assert row.outcome == Telling.GIVEN_UP
    assert timedelta(hours=46) < office.now - NOW < timedelta(hours=48)
    assert (row.status, row.error) == (503, "HTTP 503")


@in_a_loop
async def test_what_was_given_up_is_told_once_more_when_a_person_wants_it(office: Office, receiver: Receiver) -> None:
    office.subscribe(receiver.url)
    office.receive("one")
    async with office.telling():
        await until(lambda: office.outcomes() == [Telling.DONE])
        (row,) = office.deliveries()
        with opening.writing(office.engine) as conn:
            service.resend(conn, row.webhook_id, row.id, "elena", office.now)
        await until(lambda: len(receiver.asked) == 2)
        await until(lambda: office.outcomes() == [Telling.DONE])
    first, second = receiver.asked
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@in_a_loop
async def test_a_daemon_that_died_in_mid_telling_loses_nothing(office: Office, receiver: Receiver) -> None:
    office.subscribe(receiver.url)
    office.receive("one")
    receiver.hold.clear()
    async with office.telling():
        await until(lambda: receiver.asked)
    receiver.hold.set()
    (row,) = office.deliveries()
    assert row.outcome == Telling.WAITING
    office.now += timedelta(seconds=61)  # its claim ends
    async with office.telling():
        await until(lambda: office.outcomes() == [Telling.DONE])
    assert len(receiver.asked) == 2


@in_a_loop
async def test_two_daemons_tell_once_each(office: Office, receiver: Receiver) -> None:
    office.subscribe(receiver.url, HookEvent.INCOMING, HookEvent.STATE)
    office.receive(*"abcdefgh")
    for own in office.queue("one", "two"):
        office.move(own, "sent")
    async with office.telling(), office.telling():
        await until(lambda: office.outcomes() == [Telling.DONE] * 10)
    assert len(receiver.asked) == 10


# where it does not go


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *(
            "169.254.169.254",
            "fe80::1",
            "fe80::1%eth0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd00::1",
        ),
        *("224.0.0.1", "ff02::1", "255.255.255.255", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.0.1", "240.0.0.1"),
    ],
)
def test_only_public_addresses_are_allowed_by_themselves(address: str) -> None:
    assert not allowed(address, ())


def test_public_addresses_and_what_the_settings_name_are_allowed() -> None:
    import ipaddress

    assert allowed("8.8.8.8", ())
    assert allowed("2606:4700::1111", ())
    own = (ipaddress.ip_network("10.1.0.0/16"),)
    assert allowed("10.1.2.3", own)
    assert allowed("::ffff:10.1.2.3", own)
    assert not allowed("10.2.2.3", own)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]"]
)
@in_a_loop
async def test_loopback_in_any_spelling_is_never_asked(office: Office, receiver: Receiver, host: str) -> None:
    office.subscribe(f"http://{host}:{receiver.server_port}/")
    office.receive("one")
    async with office.telling(allow_networks=[]):
        await until(lambda: office.deliveries() and office.deliveries()[0].attempts)
    assert receiver.asked == []
    assert office.outcomes() == [Telling.WAITING]


@in_a_loop
async def test_a_name_is_looked_up_once_and_every_address_is_judged(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what the name server says a moment later is not asked for."""
    answers = [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]]
    asked = []

    async def resolve(_self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for each in found
        ]

    monkeypatch.setattr(destinations.ThreadedResolver, "resolve", resolve)
    office.subscribe(f"http://rebind.example.bg:{receiver.server_port}/")
    office.receive("one")
    async with office.telling():  # loopback is allowed here, so that the first attempt comes through
        await until(lambda: office.outcomes() == [Telling.DONE])
    assert (len(asked), len(receiver.asked)) == (1, 1)
    office.receive("two")
    async with office.telling(allow_networks=[]):
        await until(lambda: len(office.deliveries()) == 2 and office.deliveries()[1].attempts)
    assert len(receiver.asked) == 1
    assert "allow_networks" in office.deliveries()[1].error


@in_a_loop
async def test_a_redirect_leads_nowhere(office: Office, receiver: Receiver) -> None:
    with receiving(302, location=receiver.url) as leading:
        office.subscribe(leading.url)
        office.receive("one")
        async with office.telling():
            await until(lambda: office.deliveries() and office.deliveries()[0].attempts)
    assert receiver.asked == []
    assert office.deliveries()[0].error == "HTTP 302"


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.bg/", "file:///etc/passwd", "javascript:alert(1)", "//example.bg", "http://", "example.bg"),
        *(
            "http://user:p@example.bg/",
            "http://example.bg\\@127.0.0.1/",
            "http://example.bg/ x",
            "http://example.bg/\r\nX: 1",
        ),
        *("http://example.bg:99999/", "http://example.bg:0/", "http://пример.bg/", "https://" + "x" * 2000),
    ],
)
def test_what_is_no_plain_address_is_refused(office: Office, url: str) -> None:
    with pytest.raises(WebhookRefused):
        office.subscribe(url)


@in_a_loop
async def test_a_webhook_that_was_ended_is_told_nothing(office: Office) -> None:
    office.subscribe("https://example.bg/")
    with opening.writing(office.engine) as conn:
        (hook,) = service.all_of_them(conn)
        service.end(conn, hook.id, "elena", office.now)
    office.receive("one")
    settings = Settings.model_validate({"webhooks": LOOPBACK})
    assert webhooks.Webhooks(settings, office.engine, lambda: office.now)._find() == []
    assert office.deliveries() == []


# Kannel's dlr-url


@in_a_loop
async def test_a_dlr_url_is_asked_for_the_states_of_its_mask(office: Office, receiver: Receiver) -> None:
    url = f"{receiver.url}/dlr?type=%d&to=%p&id=%I&who=%n&at=%T&reply=%A&100%%25"
    (own,) = office.queue("hello", reports=Reports(1 | 16, url))
    (other,) = office.queue("hello", reports=Reports(2, url))
    async with office.telling():
        for state in ("sent", "delivered"):
            office.move(own, state)
            office.move(other, state)
            await until(lambda state=state: office.told(own) == office.told(other) == state)
        await until(lambda: office.outcomes() == [Telling.DONE])
    (asked,) = receiver.asked
    at = int(office.now.timestamp())
    assert asked.method == "GET"
    assert asked.path == f"/dlr?type=1&to=%2B359888000101&id={own}&who=billing&at={at}&reply=&100%%25"


@in_a_loop
async def test_a_dlr_url_that_is_refused_is_not_asked_again_and_one_that_is_ill_is(
    office: Office, receiver: Receiver
) -> None:
    receiver.answers = [404, 500, 200]
    for own in office.queue("one", "two", reports=Reports(1, f"{receiver.url}/?%d")):
        office.move(own, "delivered")
    async with office.telling():
        await until(lambda: len(receiver.asked) == 2)
        await until(lambda: office.deliveries()[1].attempts == 1)
        office.now += timedelta(seconds=10)
        await until(lambda: office.outcomes() == [Telling.GIVEN_UP, Telling.DONE])
