"""What differs between modem models, as rows. Nothing else in modemd asks what make a modem is.

`source` names the manual a row was written from; none of them has been tried on the hardware yet.
"""

import re
from dataclasses import dataclass, field

from modemd.at.commands import Command, iccid, pin_tries

# 27.005, 3.4.1: <mode>,<mt>,<bm>,<ds>,<bfr>. mt 1: messages are stored and announced (+CMTI); ds 2: so are status
# reports (+CDSI), ds 1: they come straight to us (+CDS). Some modems know <bfr> 1 only, some <mode> 1 only.
STORED_REPORTS = ("2,1,0,2,0", "2,1,0,2,1")
DIRECT_REPORTS = ("2,1,0,1,0", "2,1,0,1,1", "1,1,0,1,0", "1,1,0,1,1")
NO_REPORTS = ("2,1,0,0,0", "2,1,0,0,1", "1,1,0,0,0", "2,1", "1,1")

_STANDARD_TRIES = pin_tries("AT+CPINR", r'\+CPINR: *"?SIM PIN"? *, *(\d+)')  # 27.007, 8.65
_SIMCOM_TRIES = pin_tries("AT+SPIC", r"\+SPIC: *(\d+)")
_HUAWEI_TRIES = pin_tries("AT^CPIN?", r"\^CPIN: *[^,]*, *\d* *, *\d+ *, *(\d+)")


@dataclass(frozen=True, slots=True)
class Model:
    """One family. `pattern` is looked for in "<manufacturer> <model>"."""

    name: str
    pattern: re.Pattern[str]
    source: str
    iccid: tuple[Command[str | None], ...] = ()
    pin_tries: tuple[Command[int | None], ...] = ()
    stored_reports: tuple[str, ...] = field(default=STORED_REPORTS)
    direct_reports: tuple[str, ...] = field(default=DIRECT_REPORTS)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


GENERIC = Model(
    "generic",
    _pattern(""),
    "3GPP TS 27.005 and 27.007",
    (iccid("AT+CCID"), iccid("AT^ICCID?"), iccid("AT+ICCID"), iccid("AT+QCCID")),
    (_STANDARD_TRIES, _SIMCOM_TRIES, _HUAWEI_TRIES),
)

MODELS = (
    Model(
        "Huawei",
        _pattern("huawei"),
        "Huawei ME906 AT Command Interface Specification: ^ICCID, ^CPIN",
        (iccid("AT^ICCID?"),),
        (_HUAWEI_TRIES,),
    ),
    Model(
        "SIMCom",
        _pattern("simcom|SIM[0-9]{3,4}"),
        "SIM800 Series AT Command Manual V1.09: +CCID, +SPIC, +CNMI (ds 0 and 1)",
        (iccid("AT+CCID"), iccid("AT+CICCID")),
        (_SIMCOM_TRIES,),
    ),
    Model(
        "Quectel",
        _pattern("quectel"),
        "Quectel EC2x&EG9x AT Commands Manual: +QCCID, +QPINC",
        (iccid("AT+QCCID"),),
        (pin_tries("AT+QPINC?", r'\+QPINC: *"SC" *, *(\d+)'),),
    ),
    Model(
        "Telit",
        _pattern("telit"),
        "Telit AT Commands Reference Guide: #CCID, #PCT",
        (iccid("AT#CCID"),),
        (pin_tries("AT#PCT", r"#PCT: *(\d+)"),),
    ),
    Model(
        "Cinterion",
        _pattern("cinterion|siemens|gemalto"),
        "Cinterion BGS2 AT Command Set: ^SCID, ^SPIC",
        (iccid("AT^SCID"),),
        (pin_tries("AT^SPIC", r"\^SPIC: *(\d+)"),),
    ),
    Model(
        "u-blox",
        _pattern("u-blox"),
        "u-blox Cellular Modules AT Commands Manual: +CCID, +UPINCNT",
        (iccid("AT+CCID"),),
        (pin_tries("AT+UPINCNT", r"\+UPINCNT: *(\d+)"),),
    ),
    Model(
        "Wavecom",
        _pattern("wavecom|sierra"),
        "Wavecom AT Commands Interface Guide: +CCID, +CPINC",
        (iccid("AT+CCID"), iccid("AT!ICCID?")),
        (pin_tries("AT+CPINC", r"\+CPINC: *(\d+)"), _STANDARD_TRIES),
    ),
)


def model_of(manufacturer: str | None, model: str | None) -> Model:
    """The row for a modem that calls itself so; GENERIC for one we do not know."""
    name = f"{manufacturer or ''} {model or ''}"
    return next((row for row in MODELS if row.pattern.search(name)), GENERIC)
