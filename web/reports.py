"""The figures of the service for any period, with charts, and as a table for a spreadsheet."""

from datetime import date, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField
from wtforms.validators import Optional

from modemd import reports, spreadsheets
from modemd.config import SOFIA
from modemd.errors import PeriodRefused
from modemd.reports import Period
from modemd.store import database
from web import charts
from web.forms import SearchForm
from web.panel import panel

blueprint = Blueprint("reports", __name__, url_prefix="/reports")


class PeriodForm(SearchForm):
    since = DateField(lazy_gettext("From day"), [Optional()])
    until = DateField(lazy_gettext("To day"), [Optional()])


@blueprint.get("/")
def page() -> str | AnyResponse:
    """The figures as charts; the present month if no days are named."""
    try:
        period = _period()
    except PeriodRefused:
        return _refused()
    with database.reading(panel().engine) as conn:
        found = reports.report(conn, period)
    today = panel().now().astimezone(SOFIA).date()
    last_month = today.replace(day=1) - timedelta(days=1)
    return render_template(
        "reports/page.html",
        report=found,
        form=PeriodForm(formdata=None, data={"since": period.first, "until": period.last}),
        reminders=charts.bars(found.reminders_per_month),
        checking=charts.bars(found.checking_customers_per_month),
        lines=charts.bars(found.parts_per_line),
        last_month=(last_month.replace(day=1), last_month),
        this_year=(today.replace(month=1, day=1), today),
    )


@blueprint.get("/figures.csv")
def table() -> AnyResponse:
    try:
        period = _period()
    except PeriodRefused:
        return _refused()
    with database.reading(panel().engine) as conn:
        found = reports.report(conn, period)
    text = spreadsheets.csv_text(("figure", "of", "value"), found.rows())
    name = f"modemd-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + text, mimetype="text/csv", headers=headers)  # the mark tells Excel that it is UTF-8


def _period() -> Period:
    """Raises PeriodRefused."""
    form = PeriodForm(request.args)
    form.validate()
    today = panel().now().astimezone(SOFIA).date()
    last: date = form.until.data or max(today, form.since.data or today)
    return Period(form.since.data or last.replace(day=1), last)


def _refused() -> AnyResponse:
    flash(
        gettext("There is no report for these days: the first must not be after the last, ten years are the most."),
        "warning",
    )
    return redirect(url_for("reports.page"))
