"""Modem models as rows: what a program sees of the difference between them."""

from dataclasses import dataclass, field

from modemd.errors import SimulatorError


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `source` says where its row was read."""

    name: str
    manufacturer: str
    model: str
    revision: str
    source: str
    iccid_command: str = "+CCID"
    iccid_prefix: str = "+CCID: "
    pin_counter_command: str = "+CPINR"

    # storages (27.005, 3.2.2) and how they are read
    slots: dict[str, int] = field(default_factory=lambda: {"SM": 50, "ME": 100, "SR": 50})
    has_mt: bool = True  # "MT": ME and SM as one
    first_slot: int = 1
    lists: bool = True  # knows AT+CMGL in PDU mode

    # +CNMI (27.005, 3.4.1): the values it takes
    cnmi_modes: tuple[int, ...] = (0, 1, 2, 3)
    cnmi_report_modes: tuple[int, ...] = (0, 1, 2)  # ds
    cnmi_buffers: tuple[int, ...] = (0, 1)  # bfr

    # what it says, and how
    prompt: bytes = b"\r\n> "
    echo_stays: bool = False  # ATE0 is answered with OK and changes nothing
    blank_lines: bool = True  # each answer between line ends (V.250, 5.7.1), and not only before one
    boot_lines: tuple[str, ...] = ()
    chatter: tuple[str, ...] = ()  # unsolicited lines that nobody asked for, one every `chatter_seconds`
    chatter_seconds: float = 30.0
    hush: str = ""  # the command that ends the chatter
    reset: str = ""  # the maker's own command to start anew, besides +CFUN=1,1
    restart_seconds: float = 1.0  # from then until the port is back

    @property
    def storages(self) -> tuple[str, ...]:
        return (*self.slots, "MT") if self.has_mt else tuple(self.slots)


_ROWS = (
    Model("generic", "Simulated", "Standard", "1.0", source="3GPP 27.005 and 27.007"),
    Model(
        "terse",
        "Simulated",
        "Terse",
        "1.0",
        source="what 27.005 leaves open, all at once: MT alone, no AT+CMGL, no status reports; and bare framing",
        slots={"MT": 30},
        has_mt=False,
        lists=False,
        cnmi_report_modes=(0,),
        prompt=b"\r\n>",
        blank_lines=False,
    ),
    Model(
        "echoing",
        "Simulated",
        "Echoing",
        "1.0",
        source="V.250, 6.2.4: echo is recommended, not required",
        echo_stays=True,
    ),
    Model(
        "huawei-e1550",
        "huawei",
        "E1550",
        "11.608.12.04.21",
        source="gammu issues 45 (E1750) and 138 (E1752), the same family: +CPMS with SM 20 and ME 23, +CMGL from 0",
        iccid_command="^ICCID",
        iccid_prefix="^ICCID: ",
        slots={"SM": 20, "ME": 23},
        has_mt=False,
        first_slot=0,
        pin_counter_command="^CPIN",
        boot_lines=("^MODE:5,4",),
        chatter=("^RSSI:17", "^BOOT:20539504,0,0,0,75"),
        hush="^CURC",
        reset="^RESET",
    ),
    Model(
        "huawei-e173",
        "huawei",
        "E173",
        "11.126.85.00.209",
        source="Huawei ME906s AT Command Interface Specification: ^ICCID, ^CPIN, ^CURC; gammu issue 490 (E303): +CPMS",
        iccid_command="^ICCID",
        iccid_prefix="^ICCID: ",
        slots={"SM": 20, "ME": 100},
        has_mt=False,
        first_slot=0,
        pin_counter_command="^CPIN",
        boot_lines=("^MODE:5,4",),
        chatter=("^RSSI:17", "^BOOT:20539504,0,0,0,75"),
        hush="^CURC",
        reset="^RESET",
    ),
    Model(
        "huawei-e3372",
        "huawei",
        "E3372",
        "21.200.07.00.00",
        source="Huawei ME909s AT Command Interface Specification: ^ICCID, ^CPIN, ^CURC, ^HCSQ; stick mode",
        iccid_command="^ICCID",
        iccid_prefix="^ICCID: ",
        slots={"SM": 50, "ME": 255},
        has_mt=False,
        first_slot=0,
        pin_counter_command="^CPIN",
        boot_lines=("^SYSSTART",),
        chatter=("^RSSI: 17", '^HCSQ:"LTE",51,48,126,24', "^LTERSRP:-92,-9"),
        hush="^CURC",
        reset="^RESET",
    ),
    Model(
        "zte-mf626",
        "ZTE INCORPORATED",
        "MF626",
        "BD_3GHAP673A4V1.0.0B02",
        source='gammu issue 209 (MF626): +CPMS: 0,50,0,50,1,100 and +CDSI: "SR",50',
        slots={"SM": 50, "ME": 100, "SR": 100},
        boot_lines=("+ZUSIMR:2",),
        chatter=('+ZDONR: "Home",284,1,"CS_PS","ROAM_OFF"', '+ZPASR: "UMTS"'),
    ),
    Model(
        "quectel-ec25",
        "Quectel",
        "EC25",
        "EC25EFAR06A03M4G",
        source="Quectel EC25&EC21 AT Commands Manual V1.3: +QCCID, +QPINC, +QIND; gammu issue 408: +CPMS, +CNMI",
        iccid_command="+QCCID",
        iccid_prefix="+QCCID: ",
        slots={"ME": 255, "SM": 50, "SR": 50},
        first_slot=0,
        cnmi_modes=(0, 1, 2),
        boot_lines=("RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"),
        pin_counter_command="+QPINC",
    ),
    Model(
        "quectel-eg25",
        "Quectel",
        "EG25",
        "EG25GGBR07A08M2G",
        source="ModemManager, quectel/77-mm-quectel-port-types.rules: one USB product with the EC25, and as that",
        iccid_command="+QCCID",
        iccid_prefix="+QCCID: ",
        slots={"ME": 255, "SM": 50, "SR": 50},
        first_slot=0,
        cnmi_modes=(0, 1, 2),
        boot_lines=("RDY", "+CPIN: READY", "+QUSIM: 1", "+CFUN: 1", "+QIND: SMS DONE", "+QIND: PB DONE"),
        pin_counter_command="+QPINC",
    ),
    Model(
        "quectel-m35",
        "Quectel_Ltd",
        "Quectel_M35",
        "M35FAR01A08",
        source="Quectel M35 AT Commands Manual V1.0",
        iccid_command="+QCCID",
        iccid_prefix="",
        slots={"SM": 50, "ME": 255},
        cnmi_report_modes=(0, 1),
        boot_lines=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready"),
        pin_counter_command="+QPINC",
    ),
    Model(
        "sim800",
        "SIMCOM_Ltd",
        "SIMCOM_SIM800L",
        "Revision:1418B05SIM800L24",
        source="SIM800 Series AT Command Manual V1.09; python-gsmmodem issue 60: +CNMI: (0-3),(0-3),(0,2),(0,1),(0,1)",
        iccid_prefix="",
        slots={"SM": 30, "ME": 20},
        cnmi_report_modes=(0, 1),
        pin_counter_command="+SPIC",
        boot_lines=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
    ),
    Model(
        "sim7600",
        "SIMCOM INCORPORATED",
        "SIMCOM_SIM7600E-H",
        "LE20B03SIM7600M22",
        source="SIM7500_SIM7600 Series AT Command Manual V1.07: +CICCID, +SPIC, slots from zero",
        iccid_command="+CICCID",
        iccid_prefix="+ICCID: ",
        slots={"ME": 23, "SM": 40, "SR": 50},
        first_slot=0,
        pin_counter_command="+SPIC",
        boot_lines=("RDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
        reset="+CRESET",
    ),
    Model(
        "sierra",
        "Sierra Wireless, Incorporated",
        "MC7455",
        "SWI9X30C_02.24.05.06",
        source="Sierra Wireless GSM/GPRS/EDGE AT Command Reference 2130213 (AirCard and MC modules): !ICCID",
        iccid_command="!ICCID",
        iccid_prefix="!ICCID: ",
        slots={"SM": 40, "SR": 20},
        has_mt=False,
        reset="!RESET",
    ),
    Model(
        "telit",
        "Telit",
        "HE910-D",
        "12.00.004",
        source="Telit LE910 V2 Series AT Commands 80446ST10707A: +CNMI with +CDSI into SM; gammu issue 272 (HE910)",
        iccid_command="#CCID",
        iccid_prefix="#CCID: ",
        slots={"SM": 50, "ME": 100},
        has_mt=False,
        pin_counter_command="#PCT",
        reset="#REBOOT",
    ),
    Model(
        "wavecom",
        "WAVECOM MODEM",
        "MULTIBAND  900E  1800",
        "657g09gg.Q2403A 1375344 061804 14:38",
        source="Wavecom AT Commands Interface Guide WM_DEV_OAT_UGD_049: +CNMI (mode as 2), +CPINC, +WIND",
        iccid_prefix='+CCID: "',
        slots={"SM": 20, "SR": 20},
        has_mt=False,
        boot_lines=("+WIND: 3", "+WIND: 1", "+WIND: 7", "+WIND: 4"),
        chatter=("+WIND: 12",),
        hush="+WIND",
        reset="+CFUN=1",
        pin_counter_command="+CPINC",
    ),
    Model(
        "cinterion",
        "Cinterion",
        "MC75i",
        "REVISION 01.041",
        source="gammu issue 1206, pull request 1207 (MC75i): +CNMI: (0-3),(0,1),(0,2,3),(0,2),(1) and its +CPMS",
        iccid_command="^SCID",
        iccid_prefix="^SCID: ",
        slots={"SM": 20, "ME": 25},
        cnmi_report_modes=(0, 2),
        cnmi_buffers=(1,),
        pin_counter_command="^SPIC",
        boot_lines=("^SYSSTART",),
    ),
    Model(
        "u-blox",
        "u-blox",
        "SARA-U201",
        "23.60",
        source="u-blox Cellular Modules AT Commands Manual UBX-13002752: +CCID, +UPINCNT, +CNMI, +CPMS",
        slots={"SM": 50, "ME": 100},
        pin_counter_command="+UPINCNT",
        reset="+CFUN=16",
        chatter=("+UMWI: 0,1",),
    ),
)
MODELS = {model.name: model for model in _ROWS}


def find(name: str) -> Model:
    """The model of that name. Raises SimulatorError with the names that there are."""
    if name not in MODELS:
        raise SimulatorError(dir="this program", reason=f"there is no model {name!r}, only {', '.join(sorted(MODELS))}")
    return MODELS[name]
