"""The panel serves both databases."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from modemd.config import Database, Settings, Web
from modemd.store import database as opening
from modemd.store import lines, modems, staff
from modemd.store.modems import ModemRow
from tests.panels import PASSWORD, Visitor
from web.app import create_app
from web.panel import EXTENSION


def test_a_person_signs_in_and_sees_the_bank(database: Engine, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    key = tmp_path / "secret_key"
    key.write_text("0123456789abcdef" * 4)
    with opening.writing(database) as conn:
        staff.set_password(conn, "elena", PASSWORD, "technician", now)
        lines.host_started(conn, "gsm-host-1", "first", 4711, now)
        modems.save(conn, [ModemRow("gsm-host-1", "/dev/ttyUSB0", None, "starting", now)], now)
    url = database.url.render_as_string(hide_password=False)
    app = create_app(Settings(database=Database(url=url), web=Web(secret_key_file=key)))
    visitor = Visitor(app.test_client())
    assert visitor.sign_in("elena", "wrong").status_code == 401
    assert visitor.sign_in("elena", PASSWORD).status_code == 302
    assert "стартира" in visitor.page("/")
    app.extensions[EXTENSION].engine.dispose()
