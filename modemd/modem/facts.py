"""What is known of the modem at one port: who it is, how it is, where it is, which line it has."""

import os

from modemd.modem.condition import Condition
from modemd.modem.startup import Identity
from modemd.modem.sticks import PortFound
from modemd.modem.usb import Place


class Facts:
    def __init__(self, port: str) -> None:
        self.port = port
        self.condition = Condition()
        self.place: Place | None = None
        self.ports: tuple[PortFound, ...] = ()  # of its stick, this one among them; empty where it has one
        self.line_id: int | None = None  # the gateway gives it
        self.line_name: str | None = None
        self.answers_only = False  # its SIM has too little left for anything else
        self._identity = Identity()
        self._known_as = Identity()  # the same, kept when the port is closed

    @property
    def name(self) -> str:
        return self.line_name or os.path.basename(self.port)

    @property
    def imei(self) -> str | None:
        """None until it has told it since its port was opened."""
        return self._identity.imei

    @property
    def last_imei(self) -> str | None:
        return self._known_as.imei

    @property
    def iccid(self) -> str | None:
        return self._identity.iccid

    @property
    def imsi(self) -> str | None:
        return self._identity.imsi

    @property
    def manufacturer(self) -> str | None:
        return self._identity.manufacturer

    @property
    def model(self) -> str | None:
        return self._identity.model

    @property
    def firmware(self) -> str | None:
        return self._identity.firmware

    @property
    def kind(self) -> str:
        """Manufacturer and model, as it told last; "unknown" if it never has."""
        return " ".join(filter(None, (self._known_as.manufacturer, self._known_as.model))) or "unknown"

    @property
    def operator(self) -> str | None:
        return self.condition.operator

    @property
    def registration(self) -> str | None:
        return self.condition.registration

    @property
    def signal_dbm(self) -> int | None:
        return self.condition.signal_dbm
