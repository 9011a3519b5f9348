"""Every fault of DOMAIN section 6 that refuses the whole file, and nothing half done after it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modemd.billing import importing
from modemd.errors import FileHeld, FileRefused
from tests.billing.office import Office, header, item, items, people

Lines = list[str]


def replace(line: int, old: str, new: str) -> Callable[[Lines], Lines]:
    return lambda lines: [text.replace(old, new, 1) if at == line else text for at, text in enumerate(lines)]


def without(line: int) -> Callable[[Lines], Lines]:
    return lambda lines: [text for at, text in enumerate(lines) if at != line % len(lines)]


FAULTS: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "unknown type": (replace(0, "OPENITEMS", "METERS"), "the type 'METERS' is none of CUSTOMERS, OPENITEMS"),
    "unknown version": (replace(0, ";1;", ";2;"), "the version '2' is not 1"),
    "unknown mode": (replace(0, "FULL", "HALF"), "the mode 'HALF'"),
    "unknown encoding": (replace(0, "utf-8", "koi8-r"), "the encoding 'koi8-r' is none of"),
    "unknown currency": (replace(0, "EUR", "BGN"), "the currency 'BGN' is not EUR"),
    "no currency": (replace(0, "EUR", ""), "the currency '' is not EUR"),
    "unknown currency in a row": (replace(3, "EUR", "BGN"), "line 4: the currency 'BGN' is not EUR"),
    "sequence that is no number": (replace(0, ";2;FULL", ";one;FULL"), "the sequence 'one' is no number"),
    "sequence without end": (replace(0, ";2;FULL", f";{'1' * 40};FULL"), "the sequence '1+' is no number"),
    "source without name": (replace(0, "sap", ""), "the source '' is no name"),
    "time without offset": (replace(0, "+00:00", ""), "is no time with an offset"),
    "time that is none": (replace(0, "2026-11-23T", "2026-13-23T"), "is no time with an offset"),
    "time out of this world": (replace(0, "2026-11-23T03:30:00+00:00", "0001-01-01T00:00:00+02:00"), "is no time"),
    "header too short": (replace(0, ";EUR", ""), "the header H has 8 cells, not 9"),
    "header missing": (without(0), "the header H is missing"),
    "columns missing": (without(1), "the row of columns C is missing"),
    "a column missing": (replace(1, ";invoice_no", ""), "the column invoice_no is missing"),
    "a column twice": (replace(1, ";level", ";level;level"), "the column level stands in C twice"),
    "trailer missing": (without(-1), "the trailer T is missing"),
    "too few rows": (without(2), "the trailer says 3 rows and there are 2"),
    "too many rows": (lambda lines: [*lines[:-1], item(9), lines[-1]], "the trailer says 3 rows and there are 4"),
    "sum that does not match": (replace(2, "37,91;EUR", "37,92;EUR"), "says 113,73 and the rows sum up to 113,74"),
    "sum that is none": (lambda lines: [*lines[:-1], "T;3;113.7.3"], "the sum in the trailer: '113.7.3' is no"),
    "trailer too short": (lambda lines: [*lines[:-1], "T;3"], "the trailer T does not say rows and sum"),
    "something after the trailer": (lambda lines: [*lines, item(9)], "line 7 stands after the trailer T"),
    "two trailers": (lambda lines: [*lines, lines[-1]], "line 7 stands after the trailer T"),
    "two files in one": (lambda lines: [*lines[:-1], *lines], "line 6 begins with 'H', not with D or T"),
    "a row of another kind": (replace(3, "D;", "X;"), "line 4 begins with 'X'"),
    "a quote that does not end": (replace(3, "D;", 'D;"'), "unexpected end of data"),
    "a quote in the middle": (replace(3, "D;3", 'D;"3"'), "line 4: ';' expected after"),
    "a lone carriage return": (replace(3, ";OPEN;", ";OP\rEN;"), "line 4: new-line character seen in unquoted field"),
    "a line without end": (replace(3, ";OPEN;", f";{'x' * 70_000};"), "a line is longer than 65536 octets"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_is_refused_whole_for(local_office: Office, name: str) -> None:
    local_office.take(items(3))
    before = local_office.snapshot()
    fault, reason = FAULTS[name]
    with pytest.raises(FileRefused, match=reason):
        local_office.take(fault(items(3, seq=2)))
    assert local_office.snapshot() == before
    assert local_office.stored() == 3


def test_bytes_that_are_no_utf_8_refuse_the_file(local_office: Office) -> None:
    with pytest.raises(FileRefused, match="line 3: the octet 0xd1 is not utf-8"):
        local_office.take("\n".join(items(1)).replace("D;", "D;С").encode("windows-1251"))


def test_bytes_that_are_no_windows_1251_refuse_the_file(local_office: Office) -> None:
    lines = "\n".join(items(1)).replace("utf-8", "windows-1251").encode()
    with pytest.raises(FileRefused, match="line 3: the octet 0x98 is not windows-1251"):
        local_office.take(lines.replace(b"D;", b"D;\x98"))


def test_an_empty_file_is_refused(local_office: Office) -> None:
    with pytest.raises(FileRefused, match="the header H is missing"):
        local_office.take(b"")


def test_a_file_that_does_not_exist_is_refused(local_office: Office) -> None:
    with pytest.raises(FileRefused, match="No such file"):
        local_office.take(local_office.folder / "none.csv")
    with pytest.raises(FileRefused, match="Is a directory"):
        local_office.take(local_office.folder)


# the companion


def companion(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def test_without_its_companion_a_file_is_refused(local_office: Office) -> None:
    path = local_office.put(items(1))
    companion(path).unlink()
    with pytest.raises(FileRefused, match=r"its companion handover-1\.csv\.sha256 is missing"):
        local_office.take(path)


def test_a_bad_checksum_refuses_the_file(local_office: Office) -> None:
    path = local_office.put(items(1))
    path.write_bytes(path.read_bytes().replace(b"37,91", b"37,19"))
    with pytest.raises(FileRefused, match="its checksum is not that of its"):
        local_office.take(path)


@pytest.mark.parametrize("content", ["", "abc", "0" * 63, "0" * 65, "x" * 64, "{digest} a\n{digest} b\n"])
def test_a_companion_that_sha256sum_did_not_write_refuses_the_file(local_office: Office, content: str) -> None:
    path = local_office.put(items(1))
    digest = companion(path).read_text()[:64]
    companion(path).write_text(content.replace("{digest}", digest))
    with pytest.raises(FileRefused, match="is not as sha256sum writes it"):
        local_office.take(path)


@pytest.mark.parametrize("form", ["{} *{}\n", "{}  /some/folder/{}\n", "{}  -\n", "{}", "\\{}  odd\\nname\n"])
def test_each_form_that_sha256sum_writes_is_read(local_office: Office, form: str) -> None:
    path = local_office.put(items(1))
    digest = companion(path).read_text()[:64]
    companion(path).write_text(form.format(digest.upper(), path.name))
    assert local_office.take(path).rows == 1


def test_a_file_that_changes_while_it_is_read_is_refused(local_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    local_office.take(items(3))
    before = local_office.snapshot()
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 50)
    path = local_office.put(items(400, seq=2, mode="DELTA"))
    changed = path.read_text().replace(";OPEN;", ";PAID;")
    local_office.on_progress = lambda: path.write_text(changed)
    with pytest.raises(FileRefused, match="it was changed while it was read"):
        local_office.take(path)
    assert local_office.snapshot() == before
    assert local_office.stored() == 3


def test_customers_may_leave_the_currency_out(local_office: Office) -> None:
    lines = people(1)
    lines[0] = header("CUSTOMERS").replace("EUR", "")
    assert local_office.take(lines).rows == 1


# whatever comes

GOOD = "\n".join(items(3)).encode()


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good file with some octets cut out and others put in."""
    octets = GOOD
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(octets)))
        end = draw(st.integers(start, min(len(octets), start + 40)))
        octets = (
            octets[:start] + draw(st.binary(max_size=20) | st.sampled_from([b";", b'"', b"\n", b"\r"])) + octets[end:]
        )
    return octets


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: b"H;" + tail) | spoiled())
def test_any_bytes_are_imported_or_refused_and_nothing_is_half_done(office: Office, octets: bytes) -> None:
    before = office.snapshot()
    try:
        office.take(octets)
    except (FileRefused, FileHeld):
        assert office.snapshot() == before
    assert office.stored() == len(office.current())
