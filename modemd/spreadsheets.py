"""CSV for people's spreadsheet programs: what others wrote must not run there as a formula (rule 14)."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that Excel or Calc would calculate


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as RFC 4180 wants them; None is an empty cell, and text that looks like a formula is quoted with '."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    """Numbers stay numbers, also negative ones."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
