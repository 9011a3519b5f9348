"""A letter to the people who look after the bank, through the relay of [alerts]."""

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from modemd.config import Alerts

SECONDS = 20.0  # for each answer of the relay


def send(settings: Alerts, subject: str, text: str, to: Sequence[str] | None = None) -> None:
    """Hand it to the relay, for `to` or else for [alerts] email_to. Raises OSError, of which smtplib's errors are."""
    letter = EmailMessage()
    letter["Subject"] = " ".join(subject.split())
    letter["From"] = settings.email_from
    letter["To"] = ", ".join(settings.email_to if to is None else to)
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain=settings.email_from.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
    letter.set_content(text)
    with _connected(settings) as relay:
        if settings.relay_tls == "starttls":
            relay.starttls(context=ssl.create_default_context())
        if settings.relay_user is not None and settings.relay_password_file is not None:
            relay.login(settings.relay_user, settings.relay_password_file.read_text(encoding="utf-8").strip())
        relay.send_message(letter)


def _connected(settings: Alerts) -> smtplib.SMTP:
    host, _, port = settings.relay.rpartition(":")
    if settings.relay_tls == "tls":
        return smtplib.SMTP_SSL(host, int(port), timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, int(port), timeout=SECONDS)
