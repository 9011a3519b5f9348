"""The portal's words as customers read them; what it shares with the panel is in web/words.py."""

from flask_babel import lazy_gettext

SERVICES = {
    "bill": lazy_gettext("Bill check: the answer to SMETKA"),
    "reminder": lazy_gettext("Notice before the supply is interrupted"),
    "outage": lazy_gettext("Notice of planned outages"),
}
KINDS = {
    "reply": lazy_gettext("Answer to your SMS"),
    "reminder": lazy_gettext("Notice before the supply is interrupted"),
    "outage": lazy_gettext("Notice of planned outages"),
    "otp": lazy_gettext("Code"),
}
OTHER_KIND = lazy_gettext("Message")
ON_THE_WAY = lazy_gettext("on its way")
STATES = {
    "sent": lazy_gettext("sent"),
    "delivered": lazy_gettext("delivered"),
    "undelivered": lazy_gettext("not delivered"),
    "expired": lazy_gettext("not delivered"),
    "failed": lazy_gettext("not sent"),
    "skipped": lazy_gettext("not sent"),
    "cancelled": lazy_gettext("not sent"),
}
