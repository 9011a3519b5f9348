"""A panel in which every page has something to show, long words and hostile ones among it."""

from datetime import timedelta

from modemd.errors import PukRequired
from modemd.messages import Reason
from modemd.service import tokens, webhooks
from modemd.store import outbox, recovery, wishes
from modemd.store import webhooks as deliveries
from modemd.store.outbox import Sending, Want
from modemd.store.recovery import Tried
from modemd.store.schema import HookEvent, Telling, WishState, WishVerb, message, part
from modemd.store.webhooks import Tried as Told
from tests.panels import HOST, NOW, RunningPanel
from tests.web import billing

LONG = "Нещомногодълго" * 30


def furnish(panel: RunningPanel) -> None:
    """Fill its database."""
    panel.start_daemon()
    line = _modems(panel)
    _wishes(panel)
    _programs(panel)
    _messages(panel, line)
    billing.a_run(panel)
    billing.a_held_file(panel)
    panel.now = NOW


def _modems(panel: RunningPanel) -> int:
    line = 0
    for minutes in range(-1440, 0, 60):
        panel.now = NOW + timedelta(minutes=minutes)
        line = panel.add_modem(1, name="A1 first", signal_dbm=-70 - minutes % 37, place="1-1.4", model="E173")
    panel.now = NOW
    on_rung = {"rung": "soft reset", "step": 2, "of": 6, "until": (NOW + timedelta(minutes=4)).isoformat()}
    reasons = {
        "quarantined": Reason.of(PukRequired(port="x")),
        "recovering": Reason("soft reset", "OnRung", **on_rung),
        "unregistered": Reason("x", "NoNetwork", registration="searching"),
        "silent": Reason(LONG, "Unheard"),
    }
    for number, (state, reason) in enumerate(reasons.items(), start=2):
        panel.add_modem(number, state, name=LONG[:60], reason=reason, operator="Оператор с много дълго име")
    return line


def _wishes(panel: RunningPanel) -> None:
    with panel.writing() as conn:
        recovery.count(conn, [Tried("E173", "resync", True, 2.1), Tried("E173", "soft reset", False, 90.0)], NOW)
        for verb, argument, state, answer in (
            (WishVerb.USSD, "*100#", WishState.DONE, LONG),
            (WishVerb.TRANSCRIPT, None, WishState.DONE, "0.000 > AT\\r\n" * 30),
            (WishVerb.RESTART, None, WishState.REFUSED, Reason.of(PukRequired(port="x"))),
            (WishVerb.SAY, "AT+CSQ", WishState.DONE, "+CSQ: 21,99"),
        ):
            wishes.answer(conn, wishes.ask(conn, 1, verb, argument, "elena", NOW), state, answer, NOW)
        wishes.ask(conn, 1, WishVerb.RESET, None, "elena", NOW)


def _programs(panel: RunningPanel) -> None:
    """A token, and a webhook that was told in vain; what comes in later waits for it."""
    with panel.writing() as conn:
        tokens.issue(conn, "billing", list(tokens.Scope), 30, "elena", NOW)
        address = f"https://crm.example.bg/{'long' * 100}"
        webhooks.subscribe(conn, "crm", address, [HookEvent.INCOMING], "elena", NOW)
    panel.receive(1, "hello")
    with panel.writing() as conn:
        deliveries.tell_incoming(conn, NOW)
        deliveries.tried(conn, [Told(1, Telling.GIVEN_UP, 500, LONG[:200], None)], NOW)


def _messages(panel: RunningPanel, line: int) -> None:
    question = panel.receive(line, "smetka")
    panel.send(line, LONG, in_reply_to=question)
    panel.answer(question)
    panel.answer(panel.receive(line, "<script>alert(1)</script> \u202e" + "x" * 500, "A" * 11), "unread", "unknown")
    panel.receive(line, "\U0001f600" * 10_000)
    held = [panel.queue(LONG, "manual", line_id=line) for _ in range(3)]
    with panel.writing() as conn:
        for _ in held:
            ((claim,),) = outbox.claim(conn, [Want(line, 1)], NOW, HOST, timedelta(seconds=30))
            outbox.mark_sending(conn, [Sending(claim.open_parts[0].id, line)], NOW, HOST)
        for table, of_message in ((message, message.c.id), (part, part.c.message_id)):
            conn.execute(table.update().where(of_message.in_(held)).values(state="held"))
        refusal = "/dev/x refused AT+CMGS: +CMS ERROR: 28 (unidentified subscriber)."
        conn.execute(message.update().where(message.c.id == held[0]).values(state="failed", error=refusal))
