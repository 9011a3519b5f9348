import click

from modemd.cli.common import now, open_database, person, settings_option
from modemd.config import SOFIA, Settings
from modemd.service import tokens
from modemd.store import database


@click.group()
def token() -> None:
    """Tokens of other programs for the API."""


@token.command()
@click.argument("name")
@click.option("--scopes", required=True, help=f"With commas between: {', '.join(tokens.Scope)}.")
@click.option(
    "--expires", "days", type=click.IntRange(1, tokens.MOST_DAYS), default=365, show_default=True, help="Days."
)
@click.option("--per-minute", type=click.IntRange(0), default=tokens.PER_MINUTE, show_default=True, help="Requests.")
@click.option("--per-day", type=click.IntRange(0), default=0, help="Messages. Default: no limit.")
@settings_option
def add(name: str, scopes: str, days: int, per_minute: int, per_day: int, settings: Settings) -> None:
    """Make a token and print it, this once.

    \b
    modemd token add billing --scopes send,read --expires 365 -c modemd.toml
    """
    given = [each.strip() for each in scopes.split(",") if each.strip()]
    unknown = set(given) - set(tokens.Scope)
    if unknown:
        raise click.BadParameter(f"{sorted(unknown)[0]!r} is none of {', '.join(tokens.Scope)}", param_hint="--scopes")
    wanted = [tokens.Scope(each) for each in given]
    with database.writing(open_database(settings)) as conn:
        click.echo(tokens.issue(conn, name, wanted, days, person(), now(), per_minute=per_minute, per_day=per_day))


@token.command()
@click.argument("name")
@settings_option
def revoke(name: str, settings: Settings) -> None:
    """From now on this token opens nothing."""
    with database.writing(open_database(settings)) as conn:
        tokens.revoke(conn, name, person(), now())


@token.command("list")
@settings_option
def list_(settings: Settings) -> None:
    """Every token that there ever was, the newest first."""
    at = now()
    with database.reading(open_database(settings)) as conn:
        for each in tokens.all_of_them(conn):
            state = "good" if each.is_good(at) else "revoked" if each.revoked_at else "expired"
            until = each.expires_at.astimezone(SOFIA).date()
            click.echo(f"{each.name}  {','.join(sorted(each.scopes))}  {state}  until {until}")
