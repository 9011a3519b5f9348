import click

from modemd.cli.common import now, settings_option
from modemd.config import SOFIA, Settings


@click.group()
def kep() -> None:
    """Look after the portal's door for qualified electronic signatures (КЕП)."""


@kep.command()
@settings_option
def crl(settings: Settings) -> None:
    """Fetch the revocation lists of the issuers from [portal] kep_crl_urls; modemd-crl.timer does it every hour.

    A list is taken if its issuer has signed it and it is newer than the one in kep_crl_folder. Exit status 1 if any was
    not: with a stale list nobody of its issuer comes in, and modemd doctor says so.

    \b
    modemd kep crl -c /etc/modemd/portal.toml
    """
    from modemd import revocation
    from modemd.errors import ListRefused, SettingsError
    from modemd.service.trust import Trust

    portal = settings.portal
    if portal.kep_issuers_file is None or portal.kep_crl_folder is None or not portal.kep_crl_urls:
        raise SettingsError(path="[portal]", reason="kep_issuers_file, kep_crl_folder and kep_crl_urls are needed.")
    trusted, failed = Trust(portal.kep_issuers_file, portal.kep_crl_folder), False
    for url in portal.kep_crl_urls:
        try:
            done = revocation.renew(url, trusted, now())
        except ListRefused as error:
            click.echo(f"modemd: {error}", err=True)
            failed = True
            continue
        until = done.good_until.astimezone(SOFIA)
        click.echo(f"{done.issuer}: {'new' if done.is_new else 'as before'}, good until {until:%d.%m.%Y %H:%M}")
    raise SystemExit(1 if failed else 0)
