"""Figures for Prometheus, read anew from the database at each question: the panel knows only what daemons have written.

Labels are names of hosts, lines, states and models: never a number, never anything of a customer.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from modemd import quota, reports
from modemd.messages import AlertKind
from modemd.store import alerts, answers, database, glance, lines, listing, recovery, rules, switch, vitals
from modemd.store.schema import InboxState
from modemd.store.switch import Allowed
from web.panel import Panel
from web.words import MODEM_STATES

ANSWERS_OF = timedelta(minutes=15)


def registry(panel: Panel) -> CollectorRegistry:
    """One of its own: nothing of this process is told, which is not what anybody asks after."""
    own = CollectorRegistry()
    own.register(_Figures(panel))
    return own


class _Figures(Collector):
    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            with database.reading(self._panel.engine) as conn:
                found = list(self._read(conn, self._panel.now()))
        except DBAPIError:
            yield _gauge("database_up", "Whether the database answers.", 0)
            return
        yield _gauge("database_up", "Whether the database answers.", 1)
        yield from found

    def _read(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        yield from _bank(conn, now)
        yield from self._quota(conn, now)
        yield from _messages(conn, now)
        yield from _ladder(conn)
        data_at = glance.data_at(conn)
        if data_at is not None:
            yield _gauge("data_age_seconds", "Age of billing's open items.", (now - data_at).total_seconds())

    def _quota(self, conn: Connection, now: datetime) -> Iterator[Metric]:
        left = GaugeMetricFamily(
            "modemd_quota_left_parts", "Parts that a SIM may still send.", labels=("line", "period")
        )
        for each in rules.overview(conn, quota.day_start(now), quota.month_start(now)):
            rule = each.rule
            limits = self._panel.settings.limits_of(each.port or "", each.imei, rule.iccid)
            limits = limits.but(rule.per_minute, rule.per_day, rule.per_month)
            if limits.per_day:
                left.add_metric((rule.name, "day"), max(0, limits.per_day - each.sent_today))
            if limits.per_month:
                left.add_metric((rule.name, "month"), max(0, limits.per_month - each.sent_this_month))
        yield left


def _bank(conn: Connection, now: datetime) -> Iterator[Metric]:
    up = GaugeMetricFamily("modemd_daemon_up", "Whether a host's daemon runs.", labels=("host",))
    states = GaugeMetricFamily("modemd_modems", "Modems in each state.", labels=("host", "state"))
    signal = GaugeMetricFamily("modemd_signal_dbm", "Signal of a line's modem.", labels=("line",))
    modems = lines.overview(conn, now)
    counted = Counter((modem.host, modem.state) for modem in modems)
    for daemon in glance.daemons(conn, now):
        up.add_metric((daemon.name,), daemon.running)
        for state in MODEM_STATES:
            states.add_metric((daemon.name, state), counted[daemon.name, state])
    for modem in modems:
        if modem.signal_dbm is not None and modem.line_id is not None:
            signal.add_metric((modem.name,), modem.signal_dbm)
    standing = Counter(alert.kind for alert in alerts.standing(conn))
    wrong = GaugeMetricFamily("modemd_alerts", "Alerts that stand.", labels=("kind",))
    for kind in AlertKind:
        wrong.add_metric((kind,), standing[kind])
    position = switch.sending(conn).allowed
    allowed = GaugeMetricFamily("modemd_sending", "1 for what the switch lets leave.", labels=("allowed",))
    for each in Allowed:
        allowed.add_metric((each,), each is position)
    yield from (up, states, signal, wrong, allowed)


def _messages(conn: Connection, now: datetime) -> Iterator[Metric]:
    outgoing = GaugeMetricFamily("modemd_messages", "Messages that are not at the end of their way.", labels=("state",))
    for state, count in listing.open_counts(conn).items():
        outgoing.add_metric((state,), count)
    incoming = GaugeMetricFamily("modemd_inbox", "Texts that nobody has answered.", labels=("state",))
    unanswered = glance.waiting(conn)
    for state in glance.UNANSWERED:
        incoming.add_metric((InboxState(state),), unanswered[state])
    age = GaugeMetricFamily("modemd_queue_age_seconds", "How long the oldest message waits.", labels=("what",))
    oldest = vitals.waiting(conn)
    for what, since in (("answers", oldest.answers), ("others", oldest.others)):
        age.add_metric((what,), 0 if since is None else (now - since).total_seconds())
    yield from (outgoing, incoming, age)
    slowest = reports.percentile(Counter(answers.waited(conn, now - ANSWERS_OF, now)), 95)
    if slowest is not None:
        yield _gauge("answer_seconds_p95", "Within which 95 of 100 questions had their answer lately.", slowest)


def _ladder(conn: Connection) -> Iterator[Metric]:
    labels = ("model", "rung")
    tries = CounterMetricFamily("modemd_recovery_tries", "Rungs of the recovery ladder that were tried.", labels=labels)
    helped = CounterMetricFamily("modemd_recovery_successes", "Those of them that have helped.", labels=labels)
    for record in recovery.records(conn):
        tries.add_metric((record.model, record.rung), record.tries)
        helped.add_metric((record.model, record.rung), record.successes)
    yield from (tries, helped)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"modemd_{name}", words, value=value)
