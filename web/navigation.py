"""The tabs on top of every page, and where each role begins its day."""

from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import lazy_gettext

from modemd.store.staff import Role
from web import access
from web.words import Words


@dataclass(frozen=True, slots=True)
class Tab:
    endpoint: str
    name: Words


TABS = (
    Tab("bank.page", lazy_gettext("Modems")),
    Tab("messages.page", lazy_gettext("Messages")),
    Tab("phone.page", lazy_gettext("Phone")),
)
FIRST_PAGES = {
    Role.TECHNICIAN: "bank.page",
    Role.OPERATOR: "messages.page",
    Role.MANAGER: "bank.page",
    Role.ADMIN: "bank.page",
}


def tabs() -> list[tuple[Tab, bool]]:
    """The tabs that who asks may open; True: it is the one whose pages these are."""
    here = (request.endpoint or "").partition(".")[0]
    return [
        (tab, tab.endpoint.partition(".")[0] == here)
        for tab in TABS
        if tab.endpoint in current_app.view_functions and access.may(tab.endpoint)
    ]


def first_page(role: Role) -> str:
    """Where somebody with this role begins."""
    return url_for(FIRST_PAGES[role])
