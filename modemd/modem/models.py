"""What differs between modem models, as rows. Nothing else in modemd asks what make a modem is.

`source` names the manual, the public transcript or the program for such modems from which a row was written (files of
ModemManager: in its src/plugins), `unverified` what in it none of them says. A modem without a row is unverified. None
has been tried on the hardware yet.

Commands that switch a modem off are no resets: AT+CPOWD (SIM800 Series AT Command Manual V1.09, 6.2.2) and AT+QPOWD
(ModemManager, quectel/mm-broadband-modem-quectel.c) leave it dark until somebody presses its key.
"""

import re
from dataclasses import dataclass, field

from modemd.at.commands import Command, iccid, pin_tries, plain

# 27.005, 3.4.1: <mode>,<mt>,<bm>,<ds>,<bfr>. mt 1: messages are stored and announced (+CMTI); ds 2: so are status
# reports (+CDSI), ds 1: they come straight to us (+CDS). Some modems know <bfr> 1 only, some <mode> 1 only.
STORED_REPORTS = ("2,1,0,2,0", "2,1,0,2,1")
DIRECT_REPORTS = ("2,1,0,1,0", "2,1,0,1,1", "1,1,0,1,0", "1,1,0,1,1")
NO_REPORTS = ("2,1,0,0,0", "2,1,0,0,1", "1,1,0,0,0", "2,1", "1,1")

_STANDARD_TRIES = pin_tries("AT+CPINR", r'\+CPINR: *"?SIM PIN"? *, *(\d+)')  # 27.007, 8.65
_SIMCOM_TRIES = pin_tries("AT+SPIC", r"\+SPIC: *(\d+)")
_HUAWEI_TRIES = pin_tries("AT^CPIN?", r"\^CPIN: *[^,]*, *\d* *, *\d+ *, *(\d+)")
_QUECTEL_TRIES = pin_tries("AT+QPINC?", r'\+QPINC: *"SC" *, *(\d+)')


@dataclass(frozen=True, slots=True)
class Model:
    """One family. `pattern` is looked for in "<manufacturer> <model>"."""

    name: str
    pattern: re.Pattern[str]
    source: str  # none: unverified
    iccid: tuple[Command[str | None], ...] = ()
    pin_tries: tuple[Command[int | None], ...] = ()
    stored_reports: tuple[str, ...] = field(default=STORED_REPORTS)
    direct_reports: tuple[str, ...] = field(default=DIRECT_REPORTS)
    manners: tuple[Command[None], ...] = ()  # said at the start; a modem that refuses one does without
    talk: tuple[Command[None], ...] = ()  # lets it speak unasked: which of a stick's ports announces is found by that
    command_interface: int | None = None  # the USB interface of its command port, on sticks that show several
    soft_reset: str = "AT+CFUN=1,1"  # 27.007, 8.2
    vendor_reset: str | None = None
    unverified: str = ""

    @property
    def doubt(self) -> str | None:
        """What of the row may be wrong, in words; None: its source says all of it."""
        return (self.unverified or None) if self.source else "no manual or transcript of it was read"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


GENERIC = Model(
    "generic",
    _pattern(""),
    "",
    (iccid("AT+CCID"), iccid("AT^ICCID?"), iccid("AT+ICCID"), iccid("AT+QCCID")),
    (_STANDARD_TRIES, _SIMCOM_TRIES, _HUAWEI_TRIES),
)

MODELS = (
    Model(
        "Huawei",
        _pattern("huawei"),
        "Huawei ME906s AT Command Interface Specification: ^ICCID, ^CPIN, ^CURC; gammu issues 126 and 138 (E1752), 327 "
        "(E303): chatter, slots; serialport-gsm issue 18 (K3765): ^CURC; luci-app-3ginfo-lite issue 25 (E3372 in stick "
        "mode): ^ICCID; ModemManager, huawei/mm-broadband-modem-huawei.c: ^RESET",
        (iccid("AT^ICCID?"),),
        (_HUAWEI_TRIES,),
        manners=(plain("AT^CURC=0"),),  # ^RSSI, ^BOOT, ^HCSQ and their like, every few seconds
        talk=(plain("AT^CURC=1"),),
        vendor_reset="AT^RESET",
    ),
    Model(
        "ZTE",
        _pattern(r"\bzte\b"),
        'gammu issue 209 (MF626): +CPMS with three storages, +CDSI: "SR"',
        (iccid("AT+CCID"), iccid("AT+ZGETICCID")),
        unverified="how MF sticks tell the ICCID (AT+ZGETICCID is the ME3610's), and how they are reset",
    ),
    Model(
        "SIM7600",
        _pattern("SIM7[0-9]00"),
        "SIM7500_SIM7600 Series AT Command Manual V1.07: +CICCID, +SPIC, +CNMI (ds 0 to 2); TinyGSM, "
        "TinyGsmClientSIM7600.h: +CRESET; ModemManager, simtech/77-mm-simtech-port-types.rules: interfaces",
        (iccid("AT+CICCID"), iccid("AT+CCID")),
        (_SIMCOM_TRIES,),
        command_interface=2,
        vendor_reset="AT+CRESET",
    ),
    Model(
        "SIMCom",
        _pattern("simcom|SIM[0-9]{3,4}"),
        "SIM800 Series AT Command Manual V1.09: +CCID, +SPIC (6.2.3); python-gsmmodem issue 60: +CNMI (ds 0 and 1)",
        (iccid("AT+CCID"), iccid("AT+CICCID")),
        (_SIMCOM_TRIES,),
    ),
    Model(
        "Quectel M",
        _pattern(r"quectel.*\bM[0-9]{2}|quectel_M[0-9]{2}"),
        "Quectel M35 AT Commands Manual V1.0 and M95 AT Commands Manual V3.1: +QCCID, +CNMI (ds 0 and 1)",
        (iccid("AT+QCCID"), iccid("AT+CCID")),
        (_QUECTEL_TRIES,),
    ),
    Model(
        "Quectel",
        _pattern("quectel"),
        "Quectel EC25&EC21 AT Commands Manual V1.3: +QCCID, +QPINC; gammu issue 408: +CNMI (mode 0 to 2); "
        "ModemManager, quectel/77-mm-quectel-port-types.rules: interfaces (EC25 and EG25 alike), "
        "quectel/mm-broadband-modem-quectel.c: +CFUN=1,1",
        (iccid("AT+QCCID"),),
        (_QUECTEL_TRIES,),
        command_interface=2,
    ),
    Model(
        "Telit",
        _pattern("telit"),
        "Telit LE910 V2 Series AT Commands 80446ST10707A: #CCID, #PCT, +CNMI (ds 0 to 2); ModemManager, "
        "telit/mm-broadband-modem-telit.c: #REBOOT",
        (iccid("AT#CCID"),),
        (pin_tries("AT#PCT", r"#PCT: *(\d+)"),),
        vendor_reset="AT#REBOOT",
    ),
    Model(
        "Cinterion",
        _pattern("cinterion|siemens|gemalto"),
        "Cinterion BGS5 AT Command Set: ^SCID, ^SPIC; gammu pull request 1207 (MC75i): +CNMI (bfr 1 alone); "
        "ModemManager, cinterion/mm-broadband-modem-cinterion.c: +CFUN=1,1",
        (iccid("AT^SCID"),),
        (pin_tries("AT^SPIC", r"\^SPIC: *(\d+)"),),
        stored_reports=("2,1,0,2,1",),
        direct_reports=("2,1,0,1,1", "1,1,0,1,1"),
    ),
    Model(
        "u-blox",
        _pattern("u-blox"),
        "u-blox Cellular Modules AT Commands Manual UBX-13002752: +CCID, +UPINCNT, +UMWI; ModemManager, "
        "ublox/mm-broadband-modem-ublox.c: +CFUN=16",
        (iccid("AT+CCID"),),
        (pin_tries("AT+UPINCNT", r"\+UPINCNT: *(\d+)"),),
        manners=(plain("AT+UMWI=0"),),  # message waiting indications
        vendor_reset="AT+CFUN=16",
    ),
    Model(
        "Wavecom",
        _pattern("wavecom|fastrack"),
        "Wavecom AT Commands Interface Guide WM_DEV_OAT_UGD_049: +CCID, +CPINC, +WIND; gammu issue 832: how it calls "
        "itself; Multi-Tech Wireless GSM/GPRS AT Commands S000293I (modems made by Wavecom), +CFUN: 1 resets all",
        (iccid("AT+CCID"),),
        (pin_tries("AT+CPINC", r"\+CPINC: *(\d+)"), _STANDARD_TRIES),
        manners=(plain("AT+WIND=0"),),
        vendor_reset="AT+CFUN=1",
    ),
    Model(
        "Sierra",
        _pattern("sierra"),
        "Sierra Wireless GSM/GPRS/EDGE AT Command Reference 2130213: !ICCID; AT Commands Interface Guide 4111703: "
        "+CCID; ModemManager, sierra/mm-broadband-modem-sierra.c: !RESET",
        (iccid("AT!ICCID?"), iccid("AT+CCID")),
        (pin_tries("AT+CPINC", r"\+CPINC: *(\d+)"), _STANDARD_TRIES),
        vendor_reset="AT!RESET",
        unverified="that it tells the PIN tries left as Wavecom's do (AT+CPINC)",
    ),
)


def model_of(manufacturer: str | None, model: str | None) -> Model:
    """The row for a modem that calls itself so; GENERIC for one we do not know."""
    name = f"{manufacturer or ''} {model or ''}"
    return next((row for row in MODELS if row.pattern.search(name)), GENERIC)
