"""Both languages are complete: English in the source, Bulgarian in the catalogue."""

import io
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web/translations/bg/LC_MESSAGES"
KEYWORDS = ["-k", "lazy_gettext", "-k", "lazy_pgettext:1c,2", "-k", "_advice", "-k", "Because", "-k", "Cause"]


def _catalogue(path: Path, locale: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def _texts(catalogue: Catalog) -> set[tuple[object, object]]:
    return {(message.context, message.id) for message in catalogue if message.id}


def _fields(text: object) -> set[tuple[str | None, str | None]]:
    """What stands in braces, and how it is to be written."""
    return {(name, form) for _, name, form, _ in string.Formatter().parse(str(text)) if name is not None}


@pytest.fixture(scope="module")
def bulgarian() -> Catalog:
    return _catalogue(FOLDER / "messages.po", "bg")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the source marks for translation, found as web/babel.toml says."""
    path = tmp_path_factory.mktemp("babel") / "messages.pot"
    command = ["pybabel", "-q", "extract", "-F", str(ROOT / "web/babel.toml"), *KEYWORDS, "-o", str(path)]
    CommandLineInterface().run([*command, str(ROOT / "web"), str(ROOT / "modemd")])
    return _catalogue(path)


def test_every_text_of_the_panel_is_in_the_catalogue_and_nothing_else(used: Catalog, bulgarian: Catalog) -> None:
    assert len(used) > 100
    assert _texts(bulgarian) == _texts(used)


def test_every_text_is_translated(bulgarian: Catalog) -> None:
    for message in bulgarian:
        forms = message.string if isinstance(message.string, list | tuple) else [message.string]
        assert all(form.strip() for form in forms), message.id
        assert not message.fuzzy or not message.id, message.id


def test_translations_keep_the_places_for_values(bulgarian: Catalog) -> None:
    for message in bulgarian:
        assert [str(error) for error in message.check(bulgarian)] == []
        if isinstance(message.id, str) and "%(" not in message.id:
            assert _fields(message.string) == _fields(message.id), message.id


def test_bulgarian_is_written_in_cyrillic(bulgarian: Catalog) -> None:
    for message in bulgarian:
        forms = message.string if isinstance(message.string, list | tuple) else [message.string]
        for form in forms if message.id else ():
            assert any(letter not in string.printable and letter.isalpha() for letter in form), message.id


def test_the_compiled_catalogue_is_of_this_one(bulgarian: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, bulgarian)  # whose head and order are another release's
    compiled.seek(0)
    with (FOLDER / "messages.mo").open("rb") as file:
        kept = read_mo(file)
    assert _words(kept) == _words(read_mo(compiled)), "run: pybabel compile -d web/translations"


def _words(catalog: Catalog) -> dict[object, object]:
    return {(message.context, str(message.id)): message.string for message in catalog if message.id}


def test_no_template_holds_words_of_its_own() -> None:
    from html.parser import HTMLParser

    from jinja2 import Environment, nodes

    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    for path in (ROOT / "web/templates").rglob("*.html"):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        found: list[str] = []
        parser = HTMLParser()
        parser.handle_data = found.append  # type: ignore[method-assign]
        parser.feed(" ".join(data.data for data in tree.find_all(nodes.TemplateData)))
        words = [text.strip() for text in found if any(letter.isalpha() for letter in text)]
        assert set(words) <= {"modemd", "IMEI", "ICCID", "IMSI", "CSV", "mt-", "(USB  )"}, path
