"""What clients send and get: the fields, their limits and what they mean. OpenAPI is made of this."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from modemd.service.queueing import Kind
from modemd.store.listing import Listed
from modemd.store.lives import Life

MOST = 1000  # messages at once, or on a page
Number = Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14}|[0-9]{3,6})$", description="E.164, or a short code.")]
Text = Annotated[str, Field(min_length=1, max_length=1530, pattern=r"^[^\u0000]*$", description="At most 10 parts.")]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewMessage(Asked):
    """An SMS to be sent."""

    to: Number
    text: Text
    kind: Kind = Field(
        "api",
        description="Its validity, priority and what follows doubt are set in [kinds]; reminder and outage "
        "wait for their window.",
    )
    not_before: AwareDatetime | None = Field(None, description="It leaves no earlier.")


class NewMessages(Asked):
    """All of them are queued, or none."""

    messages: list[NewMessage] = Field(min_length=1, max_length=MOST)


class After(Asked):
    after: int = Field(0, ge=0, le=2**63 - 1, description="The cursor: `next` of the page before; at first 0.")
    limit: int = Field(100, ge=1, le=MOST)


class Days(Asked):
    first: date
    last: date


class Message(BaseModel):
    """A message of this client as it stands now."""

    id: int
    to: str
    text: str
    kind: str
    state: str = Field(
        description="queued, sending, sent, delivered, undelivered, expired, in_doubt, held, failed, "
        "skipped or cancelled."
    )
    parts: int
    line: str | None
    error: str | None = Field(description="The last refusal, or why it was not sent.")
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime | None
    state_at: datetime | None = Field(description="When it came into its state.")
    sent_at: datetime | None

    @classmethod
    def of(cls, life: Life) -> "Message":
        return cls(**_of(life))


class Receipt(BaseModel):
    """A message is in the queue, or was put there before."""

    id: int
    state: str


class Receipts(BaseModel):
    """Of all messages of the wish, in its order."""

    messages: list[Receipt]


class Part(BaseModel):
    number: int
    state: str
    line: str | None
    submitted_at: datetime | None
    sent_at: datetime | None
    discharged_at: datetime | None = Field(
        description="When it reached the phone or was given up, as the network says."
    )
    status: int | None = Field(description="TP-ST of the last status report (3GPP 23.040, 9.2.3.15).")


class History(Message):
    """A message with all that happened to its parts."""

    attempts: int
    repeats: int = Field(description="How often it was sent again after doubt.")
    each_part: list[Part]

    @classmethod
    def of(cls, life: Life) -> "History":
        parts = [Part.model_validate(each, from_attributes=True) for each in life.parts]
        return cls(**_of(life), attempts=life.attempts, repeats=life.repeats, each_part=parts)


class Incoming(BaseModel):
    id: int
    number: str | None = Field(description="As the network wrote it; None: it told none.")
    text: str | None = Field(description="None: it could not be read.")
    line: str | None
    parts: int
    kind: str | None = Field(description="What it was read as: bill, stop, help, number, unknown.")
    received_at: datetime

    @classmethod
    def of(cls, row: Listed) -> "Incoming":
        return cls(
            received_at=row.created_at,
            **{name: getattr(row, name) for name in cls.model_fields if name != "received_at"},
        )


class Inbox(BaseModel):
    """What came in behind the cursor, the oldest first. Ask again with `next`, also when there was nothing."""

    messages: list[Incoming]
    next: int


class Line(BaseModel):
    name: str
    host: str
    state: str
    reason: str | None
    operator: str | None
    signal_dbm: int | None
    sent_today: int = Field(description="Parts, since midnight in Sofia.")
    received_today: int


class Lines(BaseModel):
    """The modems with their SIMs, and what waits."""

    lines: list[Line]
    sending: str = Field(description="What may leave: all, answers or none.")
    queued: int


class Report(BaseModel):
    """The figures of some days, as `modemd report --json` prints them."""

    model_config = ConfigDict(extra="allow")


def _of(life: Life) -> dict[str, Any]:
    told = life.message
    names = ("id", "text", "kind", "state", "parts", "line", "error", "created_at", "sent_at")
    times = {name: getattr(life, name) for name in ("not_before", "expires_at", "state_at")}
    return {"to": told.number, **{name: getattr(told, name) for name in names}, **times}
