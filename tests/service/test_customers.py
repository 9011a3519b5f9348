"""A customer found, shown, handed out, erased."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, Table, select

from modemd import audit
from modemd.cli.main import cli
from modemd.errors import CustomerUnknown, EraseRefused, RevealRefused
from modemd.service import consent, customers, erasure, identities, subscriptions
from modemd.service import desk as visit
from modemd.service.erasure import pseudonym
from modemd.store import limits, redaction
from modemd.store.schema import (
    Channel,
    account,
    campaign,
    campaign_item,
    campaign_recipient,
    customer,
    document_check,
    inbox,
    inbox_part,
    limit_use,
    message,
    metadata,
    phone,
    phone_customer,
    portal_session,
)
from tests.service.desk import NOW, Desk

KEY = b"k" * 32
PHONE, OTHER = "+359888000101", "+359888000102"
A, B = "300000000001", "300000000002"
ITN = "32Z000000000001M"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.customers(A, B)
    desk.conn.execute(customer.update().where(customer.c.customer_no == A).values(itn=ITN))
    desk.no_items()
    desk.owes(A, 3791, NOW.date() + timedelta(days=9))
    desk.register(PHONE, A, services="bill,reminder")
    return desk


def settle(desk: Desk, state: str = "delivered") -> None:
    """Whatever was queued is out."""
    desk.conn.execute(message.update().values(state=state))


def erase(desk: Desk, customer_no: str = A) -> erasure.Erased:
    return erasure.erase(desk.conn, customer_no, KEY, "elena", LATER)


def everything(desk: Desk) -> str:
    """All rows of all tables but billing's own, as words."""
    own = {"customer", "open_item", "payment"}
    tables = [table for table in metadata.sorted_tables if table.name not in own]
    return "\n".join(str(row) for table in tables for row in desk.conn.execute(select(table)))


# found and shown


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (A, [A]), (" 3000 0000 0001 ", [A]), ("0888 000 101", [A]), (PHONE, [A]), (ITN, [A]), (ITN.lower(), [A]),
        ("300000000009", []), (OTHER, []), ("32Z0000000000025", []), ("", []), ("x" * 100, []), ("' OR 1=1", []),
    ],
)  # fmt: skip
def test_a_customer_is_found_by_number_phone_or_metering_point(desk: Desk, term: str, found: list[str]) -> None:
    assert customers.search(desk.conn, term) == found


def test_a_phone_leads_to_all_its_customers(desk: Desk) -> None:
    desk.register(PHONE, B)
    assert customers.search(desk.conn, PHONE) == [A, B]


def test_a_customer_is_shown_with_phones_and_invoices(desk: Desk) -> None:
    desk.register(PHONE, B, services="bill")
    found = customers.show(desk.conn, A)
    assert (found.known, found.active, found.itn, found.identified) == (True, True, ITN, False)
    [tied] = found.phones
    assert (tied.number, tied.services, tied.customers, tied.stopped_at) == (PHONE, ("bill",), 2, None)
    assert [(item.open_cents, item.status) for item in found.items] == [(3791, "OPEN")]


def test_a_customer_nobody_knows_is_refused(desk: Desk) -> None:
    for act in (
        lambda: customers.show(desk.conn, "300000000009"),
        lambda: customers.export(desk.conn, "300000000009", "elena", NOW),
        lambda: erase(desk, "300000000009"),
    ):
        with pytest.raises(CustomerUnknown, match="300000000009"):
            act()
    assert audit.head(desk.conn).id == 1  # of the registration


# handed out


def test_an_export_holds_everything_and_is_audited(desk: Desk) -> None:
    desk.ask(PHONE, "smetka")
    data = customers.export(desk.conn, A, "elena", NOW)
    assert data["customer"]["phones"][0]["number"] == PHONE
    assert [each["services"] for each in data["consents"]] == [("bill", "reminder")]
    assert sorted(each["text"][:6] for each in data["messages"]) == ["Elektr", "smetka"]
    assert audit.entries(desk.conn, 1)[0].action == "customer.export"


def test_an_export_holds_no_text_that_may_speak_of_another_customer(desk: Desk) -> None:
    desk.register(PHONE, B)
    desk.ask(PHONE, "smetka")
    subscriptions.end(desk.conn, PHONE, Channel.KEP, "customer", LATER, customer_numbers=[B])
    data = customers.export(desk.conn, A, "elena", NOW)
    assert [each["text"] for each in data["messages"]] == [None, None]


# numbers revealed


def test_a_number_is_revealed_for_a_reason_and_that_is_audited(desk: Desk) -> None:
    desk.ask(PHONE, "smetka")
    [message_id] = desk.conn.scalars(select(message.c.id))
    assert customers.reveal_message(desk.conn, "mt", message_id, "elena", "he calls", NOW) == PHONE
    [entry] = audit.entries(desk.conn, 1)
    assert (entry.who, entry.action, entry.subject) == ("elena", "number.reveal", "+35988•••101")
    assert entry.detail == f"message {message_id}: he calls"
    with pytest.raises(RevealRefused, match="say why"):
        customers.reveal_message(desk.conn, "mt", message_id, "elena", " ", NOW)
    with pytest.raises(RevealRefused, match="there is no message 99"):
        customers.reveal_message(desk.conn, "mo", 99, "elena", "x", NOW)
    assert audit.entries(desk.conn, 1) == [entry]


# erased


def test_nothing_that_names_an_erased_customer_or_his_phone_is_left(desk: Desk) -> None:
    desk.ask("0888000101", "smetka 300000000001")
    desk.ask(PHONE, "help")
    settle(desk)
    add_campaign(desk, "done", "out")
    desk.conn.execute(account.insert(), {
        "customer_no": A, "name": "abcd-efgh", "password_hash": "x", "one_time": True, "created_at": NOW,
        "created_by": "elena",
    })  # fmt: skip
    account_id = desk.conn.scalar(select(account.c.id))
    for number, (owner, numbers) in enumerate([(account_id, A), (None, f"{B} {A}")]):
        desk.conn.execute(portal_session.insert(), {
            "token_hash": str(number), "account_id": owner, "customer_numbers": numbers, "begun_at": NOW,
            "expires_at": LATER,
        })  # fmt: skip
    limits.take(desk.conn, f"identity:{A}", identities.PER_CUSTOMER, NOW)
    visit.vouch(desk.conn, A, "elena", NOW)
    erased = erase(desk)
    assert erased == erasure.Erased(phones=1, texts=4)
    left = everything(desk)
    for trace in (PHONE, PHONE[1:], "0888000101", A, "smetka", "37,91", "abcd-efgh", "8880001"):
        assert trace not in left, trace
    for table in (phone, phone_customer, account, portal_session, document_check, limit_use):
        assert desk.conn.execute(select(table)).all() == [], table.name
    assert set(desk.conn.scalars(select(inbox_part.c.pdu))) == {""}


def test_the_proof_of_consent_stays_under_a_pseudonym(desk: Desk) -> None:
    erase(desk)
    [kept] = consent.history(desk.conn, customer_no=pseudonym(A, KEY))
    assert (kept.phone, kept.services) == (pseudonym(PHONE, KEY), ("bill", "reminder"))
    assert (kept.ended_at, kept.end_channel, kept.ended_by) == (LATER, Channel.ERASED, "elena")
    assert pseudonym(A, KEY) != pseudonym(A, b"x" * 32)
    assert audit.entries(desk.conn, 1)[0].action == "customer.erase"


def test_what_a_redacted_text_was_can_be_told_again_by_who_has_the_key(desk: Desk) -> None:
    desk.ask(PHONE, "smetka")
    [text] = desk.conn.scalars(select(message.c.text))
    settle(desk)
    erase(desk)
    assert list(desk.conn.scalars(select(message.c.text))) == [redaction.body("reply", text, KEY)]
    assert hashlib.sha256(text.encode()).hexdigest() not in redaction.body("reply", text, KEY)


def test_a_phone_with_another_customer_stays_that_ones(desk: Desk) -> None:
    desk.ask(PHONE, "smetka")
    desk.register(PHONE, B)
    desk.ask(PHONE, f"smetka {B}")
    settle(desk)
    assert erase(desk) == erasure.Erased(phones=0, texts=1)
    mine, other = desk.conn.scalars(select(message.c.text).order_by(message.c.id))
    assert mine.startswith("[redacted reply ")
    assert "***0002" in other
    assert list(desk.conn.scalars(select(phone_customer.c.customer_no))) == [B]
    assert "***0002" in desk.ask(PHONE, "smetka")[0]


def test_a_phone_he_had_before_is_forgotten_too(desk: Desk) -> None:
    subscriptions.end(desk.conn, PHONE, Channel.KEP, "customer", NOW)
    desk.register(OTHER, A)
    assert erase(desk).phones == 2
    assert PHONE not in everything(desk)
    assert OTHER not in everything(desk)


def test_the_mark_of_a_wrong_number_stays(desk: Desk) -> None:
    subscriptions.mark_wrong_number(desk.conn, PHONE, "bg-Latn", "elena", NOW)
    erase(desk)
    assert subscriptions.is_wrong_number(desk.conn, PHONE)


def test_what_waits_in_the_outbox_is_not_sent_any_more(desk: Desk) -> None:
    desk.ask(PHONE, "smetka")
    erase(desk)
    assert desk.conn.execute(select(message.c.state, message.c.error)).all() == [
        ("cancelled", "the customer was erased")
    ]


@pytest.mark.parametrize("state", ["sending", "in_doubt", "held"])
def test_while_a_message_is_on_its_way_nothing_is_erased(desk: Desk, state: str) -> None:
    desk.ask(PHONE, "smetka")
    settle(desk, state)
    with pytest.raises(EraseRefused, match=r"message [0-9]+ to \+35988•••101 is on its way"), desk.conn.begin_nested():
        erase(desk)
    assert list(desk.conn.scalars(select(phone.c.number))) == [PHONE]


def add_campaign(desk: Desk, state: str, recipient: str) -> None:
    row: dict[str, Any] = {
        "kind": "reminder", "state": state, "fingerprint": "x", "recipients": 1, "parts": 1, "figures": "{}",
        "wording": "{}", "pause_after": 0, "created_by": "elena", "created_at": NOW,
    }  # fmt: skip
    campaign_id = insert(desk, campaign, row)
    to = {
        "campaign_id": campaign_id, "phone": PHONE, "language": "en", "parts": 1, "customers": f"{A} {B}",
        "state": recipient,
    }  # fmt: skip
    item = {
        "recipient_id": insert(desk, campaign_recipient, to), "phone": PHONE, "customer_no": A,
        "invoice_no": "0480000001", "level": 1, "cents": 1, "cutoff_date": NOW.date(),
    }  # fmt: skip
    insert(desk, campaign_item, item)


def insert(desk: Desk, table: Table, row: dict[str, Any]) -> int:
    return int(desk.conn.execute(table.insert().returning(table.c.id), row).scalar_one())


@pytest.mark.parametrize("state", ["running", "paused"])
def test_while_a_run_speaks_of_him_nothing_is_erased(desk: Desk, state: str) -> None:
    add_campaign(desk, state, "waiting")
    with pytest.raises(EraseRefused, match=r"run [0-9]+ speaks of this customer"), desk.conn.begin_nested():
        erase(desk)
    assert list(desk.conn.scalars(select(phone.c.number))) == [PHONE]


@pytest.mark.parametrize("state", ["proposed", "approved"])
def test_a_preview_that_speaks_of_him_is_put_aside(desk: Desk, state: str) -> None:
    add_campaign(desk, state, "waiting")
    erase(desk)
    assert list(desk.conn.scalars(select(campaign.c.state))) == ["void"]


def test_texts_of_others_stay(desk: Desk) -> None:
    desk.register(OTHER, B)
    desk.ask(OTHER, "smetka")
    settle(desk)
    before = [list(desk.conn.scalars(select(column))) for column in (message.c.text, inbox.c.text)]
    erase(desk)
    assert [list(desk.conn.scalars(select(column))) for column in (message.c.text, inbox.c.text)] == before


# from the command line


def test_export_writes_a_file_for_its_owner_alone_and_overwrites_none(local_engine: Engine, tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f'database.url = "{local_engine.url.render_as_string()}"\n')
    out = tmp_path / "customer.json"
    arguments = ["customer", "export", A, str(out), "-c", str(config)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(out.read_text())["customer"]["customer_no"] == A
    assert CliRunner().invoke(cli, arguments).exit_code == 1


def test_erasing_needs_the_key(local_engine: Engine, tmp_path: Path) -> None:
    config = tmp_path / "modemd.toml"
    config.write_text(f'database.url = "{local_engine.url.render_as_string()}"\n')
    result = CliRunner().invoke(cli, ["customer", "erase", A, "--yes", "-c", str(config)])
    assert result.exit_code == 1
    assert "identity_key_file" in str(result.exception)
