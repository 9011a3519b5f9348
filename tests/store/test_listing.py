"""Messages of both directions as people ask for them."""

from datetime import timedelta

from modemd.messages import ReceivedSms
from modemd.store import inbox, listing
from modemd.store.schema import InboxState
from tests.store.outbox_driver import NOW, Outbox


def receive(out: Outbox, line_id: int, text: str, minutes: int = 0) -> int:
    at = NOW + timedelta(minutes=minutes)
    sms = ReceivedSms(f"00{text.encode().hex()}", "SM", 1, at, "+359888000001", True, text, smsc_time=at)
    return inbox.record(out.conn, line_id, [sms], at)[0].inbox_id or 0


def test_both_directions_come_in_one_order_newest_last(out: Outbox, line_id: int) -> None:
    receive(out, line_id, "first", 0)
    out.now = NOW + timedelta(minutes=1)
    out.sent(out.sending(line_id, text="second", kind="reply"))
    receive(out, line_id, "third", 2)
    found = listing.find(out.conn)
    assert [(row.direction, row.text) for row in found] == [("mo", "first"), ("mt", "second"), ("mo", "third")]
    assert [row.text for row in listing.find(out.conn, limit=2)] == ["second", "third"]
    assert len(listing.find(out.conn, limit=None)) == 3


def test_a_row_tells_line_state_and_times(out: Outbox, line_id: int) -> None:
    message_id = out.part(out.sending(line_id, parts=2)).message_id
    row = listing.as_dict(listing.find(out.conn)[0])
    assert row == {
        "id": message_id,
        "direction": "mt",
        "number": "+359888000001",
        "text": "Zdravey",
        "state": "sending",
        "kind": "manual",
        "line": f"gsm{line_id}",
        "parts": 2,
        "created_at": NOW,
        "sent_at": None,
        "error": None,
    }


def test_filters_leave_only_what_was_asked_for(out: Outbox, line_id: int) -> None:
    receive(out, line_id, "smetka")
    wanted, _ = out.queue(recipient="+359888000002"), out.queue()
    assert [row.id for row in listing.find(out.conn, direction="mt", number="+359888000002")] == [wanted]
    assert [row.direction for row in listing.find(out.conn, direction="mo")] == ["mo"]
    assert [row.state for row in listing.find(out.conn, state="new")] == ["new"]
    assert listing.find(out.conn, state="held") == []


def test_states_of_known_messages_are_told(out: Outbox, line_id: int) -> None:
    queued, sending = out.queue(), out.sending(line_id, priority=0)
    sending_id = out.part(sending).message_id
    assert listing.states(out.conn, [queued, sending_id, 4711]) == {queued: "queued", sending_id: "sending"}


def test_counts_name_every_state(out: Outbox, line_id: int) -> None:
    out.queue()
    out.sent(out.sending(line_id))
    receive(out, line_id, "smetka")
    outgoing, incoming = listing.counts(out.conn)
    assert (outgoing["queued"], outgoing["sent"], outgoing["held"]) == (1, 1, 0)
    assert incoming == {"new": 1, "done": 0, "unread": 0, "unreadable": 0}


def test_counts_since_a_time_still_count_all_that_is_open(out: Outbox, line_id: int) -> None:
    out.sent(out.sending(line_id))
    inbox.done(out.conn, receive(out, line_id, "smetka"), InboxState.DONE, "bill", NOW)
    receive(out, line_id, "stop")
    out.queue()
    out.sending(line_id, priority=0)
    out.doubt(out.sending(line_id, priority=0))
    outgoing, incoming = listing.counts(out.conn, NOW + timedelta(seconds=1))
    assert (outgoing["sent"], outgoing["queued"], outgoing["sending"], outgoing["in_doubt"]) == (0, 1, 1, 1)
    assert (incoming["done"], incoming["new"]) == (0, 1)
    outgoing, incoming = listing.counts(out.conn, NOW)
    assert (outgoing["sent"], incoming["done"]) == (1, 1)
