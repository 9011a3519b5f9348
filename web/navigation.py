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
    Tab("write.page", lazy_gettext("Write")),
    Tab("customers.page", lazy_gettext("Customers")),
    Tab("reminders.page", lazy_gettext("Reminders")),
    Tab("files.page", lazy_gettext("Files")),
    Tab("reports.page", lazy_gettext("Reports")),
    Tab("people.page", lazy_gettext("People")),
    Tab("programs.page", lazy_gettext("Programs")),
    Tab("webhooks.page", lazy_gettext("Webhooks")),
    Tab("people.audit", lazy_gettext("Audit log")),
    Tab("phone.page", lazy_gettext("Phone")),
)
FIRST_PAGES = {
    Role.TECHNICIAN: "bank.page",
    Role.OPERATOR: "customers.page",
    Role.MANAGER: "reminders.page",
    Role.ADMIN: "bank.page",
}


def tabs() -> list[tuple[Tab, bool]]:
    """The tabs that who asks may open; True: it is the one whose pages these are."""
    endpoint = request.endpoint or ""
    own = {tab.endpoint for tab in TABS}
    near = {endpoint} if endpoint in own else {f"{endpoint.partition('.')[0]}.page"}
    offered = (tab for tab in TABS if tab.endpoint in current_app.view_functions and access.may(tab.endpoint))
    return [(tab, tab.endpoint in near) for tab in offered]


def first_page(role: Role) -> str:
    """Where somebody with this role begins."""
    return url_for(FIRST_PAGES[role])
