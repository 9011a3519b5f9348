"""What people did is read in the reader's language; the log itself, which its hashes cover, stays as it was kept."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modemd import audit
from modemd.audit import Entry
from modemd.store.schema import WishVerb
from tests.panels import RunningPanel
from web import deeds
from web.deeds import DEEDS, Shape

ROOT = Path(__file__).parents[2]
NOTING = {"note", "_note", "_decide"}  # functions that put something into the log
# What stands in the braces of an action that is put together.
PUT_TOGETHER = {
    "modem.{}": {str(verb) for verb in WishVerb},
    "doubt.{}": {"resend", "drop"},
    "user.{}": {"role", "password", "factor", "sign_ins", "remove"},
}
ACTION = re.compile(r"[a-z]+\.[a-z_{}-]+")


def _literal(node: ast.expr) -> str | None:
    """A text as it stands in the source, with {} for what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(each.value if isinstance(each, ast.Constant) else "{}" for each in node.values)
    return None


def _noted() -> Iterator[tuple[str, ast.FunctionDef, ast.Call]]:
    """Each call that notes an action which is named there, and the function that it stands in."""
    for path in (*(ROOT / "modemd").rglob("*.py"), *(ROOT / "web").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in NOTING:
                    texts = [text for each in call.args if (text := _literal(each)) and ACTION.fullmatch(text)]
                    yield from ((text, function, call) for text in texts[:1])


def test_every_action_has_its_words_and_no_other_is_left() -> None:
    named = {text for text, _, _ in _noted()}
    put_together = {text for text in named if "{}" in text}
    assert put_together == set(PUT_TOGETHER)
    made = {text.format(each) for text in put_together for each in PUT_TOGETHER[text]}
    assert named - put_together | made == set(DEEDS)


def _details(function: ast.FunctionDef, call: ast.Call) -> Iterator[str]:
    """What is written out as the detail of a call: there, or where the function gives it a name."""
    detail = call.args[4 if getattr(call.func, "attr", "") == "note" else 3]
    if isinstance(detail, ast.Name):
        for each in ast.walk(function):
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == detail.id:
                yield from filter(None, [_literal(each.value)])
    yield from filter(None, [_literal(detail)])


def test_every_sentence_that_is_put_into_a_detail_has_its_words() -> None:
    """But for a file's name and why it was held, which is a sentence of its own."""
    found = set()
    for action, function, call in _noted():
        for text in set(_details(function, call)) - {action}:
            kept = {re.sub(r"\{\w+\}", "{}", each.kept) for each in DEEDS[action].detail if isinstance(each, Shape)}
            assert text in kept, action
            found.add(text)
    assert len(found) > 10


def said(panel: RunningPanel, action: str, subject: str, detail: str, language: str = "bg") -> tuple[str, str, str]:
    entry = Entry(1, datetime(2026, 11, 23, tzinfo=UTC), "ivo", action, subject, detail, "", "")
    with panel.app.test_request_context(headers={"Cookie": f"language={language}"}):
        return deeds.what(entry), deeds.whom(entry), deeds.detail(entry)


KEPT = [
    ("account.hand-out", "***0001", "", "Издаден достъп до портала", "***0001", ""),
    (
        *("campaign.start", "campaign 7", "reminder, 120 recipients, preview 0a1b2c3d4e5f", "Започнато изпращане"),
        *("изпращане 7", "Напомняния; получатели: 120; преглед 0a1b2c3d4e5f"),
    ),
    *(("customer.erase", "***0001", "2 phones, 9 texts", "Заличен клиент", "***0001", "телефони: 2; текстове: 9"),),
    ("customer.export", "***0001", "1 phones", "Изнесени данни на клиент", "***0001", "телефони: 1"),
    ("customer.identity", "***0001", "does not fit", "Сравнен документ за самоличност", "***0001", "не съвпада"),
    ("doubt.drop", "message 3,4", "", "Задържано съобщение, оставено така", "съобщение 3,4", ""),
    (
        *("failed.resend", "message 3", "as message 9", "Неуспешно съобщение, изпратено наново"),
        *("съобщение 3", "като съобщение 9"),
    ),
    (
        *("file.approve", "OPENITEMS 5", "o.csv: its rows move from 9 to 2, more than 30% from the last FULL file"),
        *("Одобрен задържан файл", "OPENITEMS 5", "o.csv: редовете му от 9 стават 2, повече от 30% разлика"),
    ),
    (
        *(
            "file.decline",
            "OPENITEMS 5",
            "o.csv: its open sum moves from 9,00 to 2,00, more than 30% from the last FULL file",
        ),
        *("Отказан задържан файл", "OPENITEMS 5", "o.csv: неплатената му сума от 9,00 става 2,00, повече от 30%"),
    ),
    (
        *("file.approve", "OPENITEMS 5", "o.csv by modemd import", "Одобрен задържан файл", "OPENITEMS 5"),
        "o.csv, с командата modemd import",
    ),
    (
        *("line.change", "A1 1", "number=+35988•••567, per_day=500", "Приета SIM карта или променени настройки"),
        *("A1 1", "Собствен номер: +35988•••567; Части на ден: 500"),
    ),
    (
        *("message.ours", "+35988•••567", "2026-11-23 not_ours", "Проверка „Наше ли е?“", "+35988•••567"),
        "23.11.2026: Не. Не сме изпращали такова съобщение.",
    ),
    (
        *("message.write", "12 recipients", "messages 4-15", "Написани съобщения", "получатели: 12"),
        "съобщения 4–15",
    ),
    ("modem.ussd", "A1 1", "*100#", "Изпратен USSD код", "A1 1", "*100#"),
    (
        *("outage.announce", "campaign 2", '{"points": 2, "customers": 3, "recipients": 1}', "Обявено прекъсване"),
        *("изпращане 2", "измервателни точки: 2; клиенти: 3; получатели: 1"),
    ),
    ("phone.end", "+35988•••567", "everything", "Прекратени услуги на телефон", "+35988•••567", "всичко"),
    ("phone.end", "+35988•••567", "reminder, outage", "Прекратени услуги на телефон", "+35988•••567", "напомняния, "),
    (
        *("phone.register", "+35988•••567", "bill, reminder for ***0001, ***0002", "Регистриран телефон"),
        *("+35988•••567", "проверка на сметка, напомняния; клиенти ***0001, ***0002"),
    ),
    ("sending.switch", "answers", "", "Преместен ключ за изпращане", "Само отговори и кодове", ""),
    ("spelling.teach", "smetka molq", "bill", "Научено изписване", "smetka molq", "проверка на сметка"),
    (
        *("text.save", "reminder bg-Cyrl", "as it comes", "Променен текст", "Напомняне, български на кирилица"),
        "както идва с програмата",
    ),
    ("token.add", "billing", "read send, 365 days", "Издаден токен", "billing", "дни: 365"),
    ("unread.answer", "text 5", "in own words", "Отговорено на текст", "текст 5", "със собствени думи"),
    ("user.role", "boris", "admin", "Сменена роля на потребител", "boris", "администратор"),
    ("webhook.add", "crm", "incoming state", "Добавен уебхук", "crm", "получените, състоянията"),
    ("webhook.resend", "delivery 4", "", "Казано отново на уебхук", "известие 4", ""),
]


@pytest.mark.parametrize(("action", "subject", "detail", "what", "whom", "how"), KEPT)
def test_an_entry_is_read_in_bulgarian(
    panel: RunningPanel, action: str, subject: str, detail: str, what: str, whom: str, how: str
) -> None:
    read = said(panel, action, subject, detail)
    assert read[:1] == (what,)
    assert whom.lower() == read[1].lower()
    assert how.lower() in read[2].lower()


def test_it_is_read_in_english_too(panel: RunningPanel) -> None:
    read = said(panel, "campaign.start", "campaign 7", "reminder, 1 recipients, preview 0a1b", "en")
    assert read == ("Run started", "run 7", "Reminders; recipients: 1; preview 0a1b")


def test_a_persons_own_words_stay_as_they_are_and_do_nothing(panel: RunningPanel) -> None:
    words = "fits %(name)s {name} \u202e<b>"
    assert said(panel, "number.reveal", "+35988•••567", words)[2] == "fits %(name)s {name} ‹U+202E›<b>"
    assert said(panel, "text.save", "welcome en", "Hello {supplier}")[2] == "Hello {supplier}"
    assert said(panel, "outage.announce", "campaign 2", "{no json")[2] == "{no json"
    assert said(panel, "line.change", "A1", "colour=red")[2] == "colour=red"
    assert said(panel, "someday.later", "x", "y") == ("someday.later", "x", "y")


def test_the_log_is_shown_in_words_and_kept_as_it_was(panel: RunningPanel) -> None:
    with panel.writing() as conn:
        audit.note(conn, "ivo", "customer.export", "300000000001", "1 phones", panel.now)
        before = audit.head(conn)
    page = panel.signed_in("manager").page("/audit?verify=1")
    assert "Изнесени данни на клиент" in page
    assert "телефони: 1" in page
    assert "1 phones" not in page
    with panel.writing() as conn:
        assert audit.verify(conn, before) == before
        assert audit.entries(conn, 1)[0].detail == "1 phones"


def test_a_command_that_names_nobody_is_said_in_words_and_a_person_by_name(panel: RunningPanel) -> None:
    with panel.writing() as conn:
        for who in ("command", "ivo@server"):
            audit.note(conn, who, "customer.export", "300000000001", "1 phones", panel.now)
    page = panel.signed_in("manager").page("/audit")
    assert "<td>команден ред</td>" in page
    assert "<td>ivo@server</td>" in page
    assert "command" not in page


def test_why_a_file_was_held_is_said_as_where_it_was_held() -> None:
    """The sentences stand in the import, too."""
    source = ast.parse((ROOT / "modemd/billing/importing.py").read_text(encoding="utf-8"))
    sentences = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    assert set(deeds.HELD) <= sentences
