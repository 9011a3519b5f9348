"""What Kannel's clients are told of a message: the escapes of a dlr-url (Kannel user guide, sms-service). Pure."""

import re
from urllib.parse import quote

from modemd.config import SOFIA
from modemd.store.schema import MessageState
from modemd.store.webhooks import DLR, Delivery

_ESCAPE = re.compile(r"%([%a-zA-Z])")


def report_url(delivery: Delivery) -> str:
    """The client's dlr-url with its escapes filled in; percent-encoding and escapes that are not ours stay."""
    told = _told(delivery)
    return _ESCAPE.sub(lambda found: quote(told[found[1]], safe="") if found[1] in told else found[0], delivery.url)


def _told(delivery: Delivery) -> dict[str, str]:
    about = delivery.about
    at = (delivery.state_at or about.created_at).astimezone(SOFIA)
    own = ""  # a modem sends under its SIM's own number, which nobody has to tell us
    return {
        "d": str(DLR.get(MessageState(delivery.state or about.state), 0)),
        "A": about.error or "",  # what the network said
        "p": about.number or "",  # a report comes from the phone that the message went to
        "q": about.number or "",
        "P": own,
        "Q": own,
        "i": about.line or "",
        "I": str(about.id),
        "n": delivery.client or "",
        "t": f"{at:%Y-%m-%d %H:%M:%S}",
        "T": str(int(at.timestamp())),
        "b": about.text or "",
    }
