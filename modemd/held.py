"""What is claimed for a line and waits for its turn: a message, encoded."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modemd.messages import OutgoingSms
from modemd.pdu import submit
from modemd.store.outbox import Claim

SHORTEST_VALIDITY = timedelta(minutes=5)  # the least that TP-VP can say (23.040, 9.2.3.12.1)


@dataclass(eq=False)
class Held:
    """A claimed message with the parts that still have to leave, in order."""

    claim: Claim
    parts: deque[OutgoingSms]
    begun: bool = False
    urgency: tuple[int, int] = field(init=False)  # the lowest leaves first

    def __post_init__(self) -> None:
        self.urgency = (self.claim.priority, self.claim.message_id)


def encoded(claim: Claim, now: datetime) -> Held:
    """Raises NotAPhone or TextError for what cannot be sent."""
    pdus = submit.encode_message(
        claim.recipient,
        claim.text,
        concat_reference=claim.message_id % 256,
        validity=max(claim.expires_at - now, SHORTEST_VALIDITY),
    )
    parts = [(part.id, pdus[part.number - 1]) for part in claim.open_parts]
    return Held(
        claim,
        deque(
            OutgoingSms(part_id, claim.message_id, claim.kind, claim.priority, pdu.length, pdu.pdu)
            for part_id, pdu in parts
        ),
    )
