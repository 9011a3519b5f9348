from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from modemd.billing import files
from modemd.billing.files import HandOverFile
from modemd.config import SOFIA
from modemd.errors import FileRefused
from tests.billing.office import CUSTOMERS, OPENITEMS, item, person

AT = datetime(2026, 11, 23, 5, 30, tzinfo=SOFIA)


def rows(columns: str, *lines: str) -> list[dict[str, str]]:
    return [dict(zip(columns.split(";"), line.split(";")[1:], strict=True)) for line in lines]


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    written = rows(OPENITEMS, item(1, "37,91"), item(2, "112,40"))
    path = files.write(tmp_path / "in", "OPENITEMS", "demo", 12, "DELTA", AT, written)
    file = HandOverFile(path)
    assert path.name == "openitems-demo-000012.csv"
    assert file.header == files.Header("OPENITEMS", "demo", 12, "DELTA", AT)
    assert [record.values for record in file.records()] == written
    assert path.read_text().splitlines()[0] == "H;OPENITEMS;1;demo;12;DELTA;2026-11-23T05:30:00+02:00;EUR;utf-8"
    assert path.read_text().splitlines()[-1] == "T;2;150,31"


def test_a_type_without_amounts_sums_up_to_nothing(tmp_path: Path) -> None:
    path = files.write(tmp_path, "CUSTOMERS", "demo", 1, "FULL", AT, iter(rows(CUSTOMERS, person(1))))
    assert path.read_text().splitlines()[-1] == "T;1;0,00"


def test_cells_with_separators_and_quotes_survive(tmp_path: Path) -> None:
    [row] = rows(CUSTOMERS, person(1))
    row["itn"] = 'a;"b"\nc'
    path = files.write(tmp_path, "CUSTOMERS", "a/b", 1, "FULL", AT, [row])
    assert path.parent == tmp_path
    assert [record.values for record in HandOverFile(path).records()] == [row]


def test_a_file_being_written_is_not_there_yet_and_its_companion_is_the_last(tmp_path: Path) -> None:
    files.write(tmp_path, "CUSTOMERS", "demo", 1, "FULL", AT, rows(CUSTOMERS, person(1)))

    def slowly() -> Iterator[dict[str, str]]:
        assert [path.suffix for path in tmp_path.iterdir() if path.suffix == ".sha256"] == []
        yield from rows(CUSTOMERS, person(1), person(2))

    path = files.write(tmp_path, "CUSTOMERS", "demo", 1, "FULL", AT, slowly())
    assert len(list(HandOverFile(path).records())) == 2
    assert sorted(found.name for found in tmp_path.iterdir()) == [path.name, f"{path.name}.sha256"]


def test_a_file_name_that_is_no_utf_8_can_be_shown(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        HandOverFile(tmp_path / "\udcff.csv")
    assert str(refused.value).encode("utf-8")
