"""Every table, in SQLAlchemy Core: the index of `tables/`. A new module of tables is added here, and so is known."""

from modemd.store.tables.api import api_message, api_request, api_token
from modemd.store.tables.audit import audit
from modemd.store.tables.bank import (
    WishState,
    WishVerb,
    alert,
    alert_told,
    balance,
    host,
    line,
    line_rule,
    modem,
    modem_event,
    pin_attempt,
    recovery,
    signal_sample,
    switch,
    wish,
)
from modemd.store.tables.base import Id, UtcTime, metadata
from modemd.store.tables.campaigns import (
    ACTIVE,
    IN_OUTBOX,
    WAITING,
    CampaignKind,
    CampaignState,
    RecipientState,
    campaign,
    campaign_item,
    campaign_recipient,
    template,
    template_version,
)
from modemd.store.tables.chores import chore
from modemd.store.tables.consent import Channel, consent, consent_text
from modemd.store.tables.customers import (
    FileState,
    customer,
    dataset,
    export_file,
    import_file,
    open_item,
    payment,
    phone,
    phone_customer,
)
from modemd.store.tables.failed import FailedOutcome, failed_outcome
from modemd.store.tables.figures import day_figures, month_figures
from modemd.store.tables.inbox import InboxState, inbox, inbox_part, limit_use
from modemd.store.tables.mail import mail_forward
from modemd.store.tables.outbox import (
    ANSWER,
    ANY_LINE,
    NOT_DUE,
    ONE_LINE,
    QUEUED,
    REPEATED,
    TROUBLE,
    UNANSWERED,
    MessageState,
    in_air,
    message,
    part,
    status_report,
)
from modemd.store.tables.people import staff, staff_session
from modemd.store.tables.portal import account, document_check, kep_nonce, pending_phone, portal_session
from modemd.store.tables.rounds import ledger_round
from modemd.store.tables.snapshots import snapshot
from modemd.store.tables.unread import Outcome, TaughtKind, spelling, unread_outcome
from modemd.store.tables.webhooks import WAITING_TO_BE_TOLD, HookEvent, Telling, webhook, webhook_delivery
