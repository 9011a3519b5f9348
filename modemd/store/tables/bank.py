"""The hosts, their modems and lines, and what technicians want of them."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text, text

from modemd.store.tables.base import Id, UtcTime, metadata, one_of, partial_index


class WishState(StrEnum):
    PENDING = "pending"
    TAKEN = "taken"  # the daemon is at it
    DONE = "done"
    REFUSED = "refused"  # `answer` says why


class WishVerb(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"  # close the port, open it and start anew
    RESET = "reset"  # the modem itself starts anew
    USSD = "ussd"
    PIN = "pin"  # keep another PIN for the SIM and start anew
    SAY = "say"  # a command of the AT console
    TRANSCRIPT = "transcript"  # the last of the dialogue


host = Table(
    "host",
    metadata,
    Column("name", String(64), primary_key=True),  # [daemon] name
    Column("instance", String(36), nullable=False),  # new at each start
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("stopped_at", UtcTime),
)

line = Table(
    "line",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "identity", String(340), nullable=False, unique=True
    ),  # "iccid:…", "imsi:…", or "port:host:…" for a mute SIM
    Column("name", String(64), nullable=False),
    Column("iccid", String(22)),
    Column("imsi", String(15)),
    Column("new", Boolean, nullable=False),  # adopted by itself, not yet seen by a person
    Column("adopted_at", UtcTime),  # None: waits for a technician
    Column("last_reference", Integer),  # the TP-MR of the last part it sent: what in doubt is expected to have is near
    Column("created_at", UtcTime, nullable=False),
)

line_rule = Table(  # what a technician has set for a line; NULL: as the settings say
    "line_rule",
    metadata,
    Column("line_id", Id, ForeignKey("line.id"), primary_key=True, autoincrement=False),
    Column("name", String(64)),
    Column("per_minute", Integer),
    Column("per_day", Integer),
    Column("per_month", Integer),
    Column("number", String(32)),  # its own
    Column("replaces", Id),  # line.id of the SIM that this one stands in for
    Column("notes", Text),
    Column("prefixes", Text),  # of numbers that it shall send to if it can, with blanks between
)

modem = Table(
    "modem",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(64), nullable=False),
    Column("port", String(255), nullable=False),
    Column("line_id", Id, ForeignKey("line.id")),
    Column("imei", String(20)),
    Column("manufacturer", String(64)),
    Column("model", String(64)),
    Column("firmware", String(64)),
    Column("state", String(16), nullable=False),
    Column("state_since", UtcTime, nullable=False),
    Column("reason", Text),  # why it is not ready, in words
    Column("reason_code", String(32)),  # messages.Reason
    Column("reason_facts", Text),  # JSON
    Column("operator", String(64)),
    Column("registration", String(16)),
    Column("signal_dbm", Integer),
    Column("place", String(64)),  # its USB path, "1-1.2"; None where there is none
    Column("paused", Boolean, nullable=False, server_default=text("false")),  # by a technician, until resumed
    Column("calls", Integer, nullable=False, server_default="0"),  # that were hung up
    Column("storage_used", Integer),  # of the fullest storage
    Column("storage_total", Integer),
    Column("clock_offset", Integer),  # s that the network's clock is ahead of ours
    Column("ports", Text),  # of its stick: JSON, a list of {"port", "chosen", "why"}; None where there is one
    Column("updated_at", UtcTime, nullable=False),
    Index("ix_modem_port", "host", "port"),
)

wish = Table(  # what a technician wants of a modem; the daemon obeys and answers
    "wish",
    metadata,
    Column("id", Id, primary_key=True),
    Column("modem_id", Id, ForeignKey("modem.id"), nullable=False),
    Column("verb", String(16), nullable=False),
    Column("argument", String(160)),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("state", String(12), nullable=False),
    Column("answer", Text),
    Column("answer_code", String(32)),  # messages.Reason, when it was refused
    Column("answer_facts", Text),  # JSON
    Column("answered_at", UtcTime),
    one_of("state", WishState),
    one_of("verb", WishVerb),
    partial_index("ix_wish_pending", "modem_id", where="state = 'pending'"),
    Index("ix_wish_modem_id", "modem_id", "id"),
)

modem_event = Table(  # the states that a modem has been in
    "modem_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("modem_id", Id, ForeignKey("modem.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text),
    Column("reason_code", String(32)),
    Column("reason_facts", Text),
    Index("ix_modem_event_modem_id", "modem_id", "at"),
)

signal_sample = Table(  # a modem's signal now and then: store/history.py says when
    "signal_sample",
    metadata,
    Column("modem_id", Id, ForeignKey("modem.id"), primary_key=True, autoincrement=False),
    Column("at", UtcTime, primary_key=True),
    Column("dbm", Integer),  # None: the modem did not tell, or was not there
)

recovery = Table(  # how often each rung of the ladder has brought a model back
    "recovery",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("rung", String(16), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
    Column("seconds", Float, nullable=False),  # all tries together
    Column("last_at", UtcTime, nullable=False),
)

balance = Table(  # what the operator said last is left on a SIM
    "balance",
    metadata,
    Column("line_id", Id, ForeignKey("line.id"), primary_key=True, autoincrement=False),
    Column("cents", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
)

pin_attempt = Table(
    "pin_attempt",
    metadata,
    Column("sim", String(80), primary_key=True),
    Column("pin_hash", String(64), primary_key=True),  # salted: see store/lines.py
    Column("at", UtcTime, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(64), nullable=False),
    Column("subject", String(255), nullable=False),  # the port of a modem, or "bank"
    Column("kind", String(24), nullable=False),  # messages.AlertKind
    Column("name", String(255), nullable=False),  # what people call the subject
    Column("text", Text, nullable=False),
    Column("raised_at", UtcTime, nullable=False),
    Column("cleared_at", UtcTime),  # None: still so
    partial_index("uq_alert_open", "host", "subject", "kind", where="cleared_at IS NULL", unique=True),
    Index("ix_alert_raised_at", "raised_at"),
)

alert_told = Table(  # what people know of a host's alerts, by each way of telling them
    "alert_told",
    metadata,
    Column("host", String(64), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("channel", String(8), primary_key=True),  # "email", "sms"
    Column("standing", Boolean, nullable=False),  # False: they know that it is over
    Column("at", UtcTime, nullable=False),  # when they were told last that it is so
)

switch = Table(  # what holds for every daemon at once
    "switch",
    metadata,
    Column("name", String(16), primary_key=True),  # "sending"
    Column("position", String(16), nullable=False),
    Column("since", UtcTime, nullable=False),
)
