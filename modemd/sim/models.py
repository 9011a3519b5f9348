"""Modem models as rows: what a program sees of the difference between them."""

from dataclasses import dataclass, field

from modemd.errors import SimulatorError


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `source` says where its row was read; an empty one means unverified."""

    name: str
    manufacturer: str
    model: str
    revision: str
    source: str = ""
    iccid_command: str = "+CCID"
    iccid_prefix: str = "+CCID: "
    slots: dict[str, int] = field(default_factory=lambda: {"SM": 50, "ME": 100, "SR": 50})
    has_mt: bool = True  # "MT": ME and SM as one
    cnmi_report_modes: tuple[int, ...] = (0, 1, 2)  # ds of +CNMI (27.005, 3.4.1)
    pin_counter_command: str = "+CPINR"
    boot_lines: tuple[str, ...] = ()
    chatter: tuple[str, ...] = ()  # unsolicited lines that nobody asked for, one every `chatter_seconds`
    chatter_seconds: float = 30.0
    restart_seconds: float = 1.0  # from AT+CFUN=1,1 until the port is back

    @property
    def storages(self) -> tuple[str, ...]:
        return (*self.slots, "MT") if self.has_mt else tuple(self.slots)


_ROWS = (
    Model("generic", "Simulated", "Standard", "1.0", source="3GPP 27.005 and 27.007"),
    Model(
        "huawei",
        "huawei",
        "E173",
        "11.126.85.00.209",
        iccid_command="^ICCID",
        iccid_prefix="^ICCID: ",
        slots={"SM": 20, "ME": 100},
        has_mt=False,
        cnmi_report_modes=(0, 1, 2),
        pin_counter_command="^CPIN",
        boot_lines=("^MODE:5,4",),
        chatter=("^RSSI:17", "^BOOT:20539504,0,0,0,75"),
    ),
    Model(
        "simcom",
        "SIMCOM_Ltd",
        "SIMCOM_SIM800L",
        "Revision:1418B05SIM800L24",
        source="SIM800 Series AT Command Manual V1.09",
        iccid_prefix="",
        slots={"SM": 30, "ME": 20},
        cnmi_report_modes=(0, 1),
        pin_counter_command="+SPIC",
        boot_lines=("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
    ),
)
MODELS = {model.name: model for model in _ROWS}


def find(name: str) -> Model:
    """The model of that name. Raises SimulatorError with the names that there are."""
    if name not in MODELS:
        raise SimulatorError(dir="this program", reason=f"there is no model {name!r}, only {', '.join(sorted(MODELS))}")
    return MODELS[name]
