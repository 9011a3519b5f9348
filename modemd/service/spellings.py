"""Ways to write a keyword that people have taught: each is checked, so that no text is read as less than it asks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast, get_args

from sqlalchemy import Connection

from modemd import audit
from modemd.config import Service
from modemd.errors import Because, SpellingRefused
from modemd.service import keywords, templates
from modemd.service.keywords import Keyword, Reading
from modemd.store import unread
from modemd.store.dialects import one_at_a_time

FEWEST_LETTERS = 3
LONGEST = 64  # characters
READ_AGAIN_WITHIN = timedelta(days=2)  # an older question is not waited for any more


@dataclass(frozen=True, slots=True)
class Lesson:
    words: str  # as they are compared from now on
    kind: Keyword
    read_again: tuple[int, ...]  # texts (inbox.id) that were understood by it and are answered now


def read(conn: Connection, text: str | None, service: Service) -> Reading:
    """What a text is read as, with what people have taught; an answer of ours that comes back asks for nothing."""
    if text is not None and templates.is_ours(text, service):
        return Reading("unknown", ())  # our texts name SMETKA and STOP: a machine that echoes would go on and on
    return keywords.explain(text, known(conn))


def known(conn: Connection) -> dict[str, Keyword]:
    """All of them, for `keywords.explain`."""
    return {each.words: cast(Keyword, each.kind) for each in unread.spellings(conn)}


def teach(
    conn: Connection, inbox_id: int, kind: str, by: str, service: Service, now: datetime, words: str | None = None
) -> Lesson:
    """Make `words` (None: the whole text) of an unread text a spelling of a keyword.

    That text and what else came lately and is understood now go back to the daemons, which answer them. Raises
    NotUnread, and SpellingRefused where the words are read as something already, are one letter from STOP and are to
    be something else, are too short or too long, are no words, or do not stand in the text. Nothing has changed then.
    """
    one_at_a_time(conn, "spelling")  # each is checked against all others
    asked = unread.find(conn, inbox_id)
    spelling = keywords.plain(asked.text or "" if words is None else words)
    _check_text(asked.text, spelling, words, kind, service)
    keyword = _check(spelling, kind, known(conn))
    unread.teach(conn, spelling, keyword, by, now)
    lately = unread.since(conn, now - READ_AGAIN_WITHIN)
    again = [row.id for row in lately if row.id != inbox_id and read(conn, row.text, service).kind != "unknown"]
    unread.read_again(conn, [inbox_id, *again], by, now)
    audit.note(conn, by, "spelling.teach", spelling, keyword, now)
    return Lesson(spelling, keyword, (inbox_id, *again))


def forget(conn: Connection, words: str, by: str, now: datetime) -> str:
    """Take a spelling back; returns it as it was kept. Raises SpellingRefused if nobody taught it."""
    spelling = keywords.plain(words)
    if not unread.forget(conn, spelling):
        raise SpellingRefused(
            words=words, kind="nothing", reason=Because("nobody taught it (see: modemd unread spellings)")
        )
    audit.note(conn, by, "spelling.forget", spelling, "", now)
    return spelling


def _check_text(text: str | None, spelling: str, words: str | None, kind: str, service: Service) -> None:
    if templates.is_ours(text or "", service):
        raise SpellingRefused(words=spelling, kind=kind, reason=Because("the text is an answer of ours that came back"))
    if words is not None and f" {spelling} " not in f" {keywords.plain(text or '')} ":
        raise SpellingRefused(words=words, kind=kind, reason=Because("these words do not stand in the text"))


def _check(spelling: str, kind: str, taught: dict[str, Keyword]) -> Keyword:
    """The keyword that these words may stand for. Raises SpellingRefused."""
    reason = _fault(spelling, kind, taught)
    if reason is not None:
        raise SpellingRefused(words=spelling, kind=kind, reason=reason)
    return cast(Keyword, kind)


def _fault(spelling: str, kind: str, taught: dict[str, Keyword]) -> Because | None:
    if kind not in get_args(Keyword):
        return Because("a keyword is one of {kinds}", kinds=", ".join(get_args(Keyword)))
    reading = keywords.explain(spelling, taught)
    if reading.customer_numbers:
        return Because("it holds a customer number")
    if reading.kind != "unknown":
        return Because("it is read as {kind} already", kind=reading.kind)
    if kind != "stop" and keywords.nearly_stop(spelling):
        return Because("it is one letter away from STOP, which must never be read as anything else")
    if sum(map(str.isalpha, spelling)) < FEWEST_LETTERS:
        return Because("it has fewer than {fewest} letters", fewest=FEWEST_LETTERS)
    if len(spelling) > LONGEST:
        return Because("it has more than {most} characters; choose the words that matter", most=LONGEST)
    with_it: dict[str, Keyword] = {**taught, spelling: cast(Keyword, kind)}
    for words, own in taught.items():
        if keywords.explain(words, with_it).kind != own:
            return Because("{words!r} would no longer be read as {kind}", words=words, kind=own)
    return None
