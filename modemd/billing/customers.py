"""The rows of a CUSTOMERS file."""

import re
from typing import Any, get_args

from modemd.billing import cells
from modemd.billing.cells import Row
from modemd.config import Language
from modemd.errors import Because

CLASSES = ("H", "B")  # household, business
_HMAC = re.compile(r"[0-9a-f]{64}")
_EIK = re.compile(r"[0-9]{9}|[0-9]{13}")


def parse(row: Row) -> dict[str, Any]:
    """A row of the table `customer` without its generation. Raises BadCell."""
    class_ = cells.one_of(row, "class", CLASSES)
    return {
        "customer_no": cells.digits(row, "customer_no", 12),
        "itn": cells.metering_point(row, "itn"),
        "class": class_,
        "identity": _identity(row["identity"], class_),
        "language": cells.one_of(row, "language", ("", *get_args(Language))) or None,
        "active": cells.one_of(row, "active", ("1", "0")) == "1",
    }


def _identity(cell: str, class_: str) -> str | None:
    """HMAC-SHA256 of the ЕГН or ЛНЧ for a household, the ЕИК for a business. The reason never quotes it."""
    if not cell:
        return None
    if class_ == "H" and not _HMAC.fullmatch(cell):
        raise cells.BadCell(Because("identity: is no HMAC-SHA256 in 64 lower-case hex digits"))
    if class_ == "B" and not _EIK.fullmatch(cell):
        raise cells.BadCell(Because("identity: is no ЕИК of 9 or 13 digits"))
    return cell
