"""Where on the USB a modem sits, and the two ways to let it start anew from outside (Linux: sysfs; uhubctl)."""

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from modemd.modem.port import in_thread

log = logging.getLogger(__name__)

SYSFS = Path("/sys")
OFF_SECONDS = 2.0  # until the stick's capacitors are empty
UHUBCTL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """A USB device by its path: "1-1.2" is port 2 of the hub in port 1 of bus 1. It names the socket, not the stick."""

    name: str
    device: Path  # /sys/devices/…/1-1.2

    @property
    def hub(self) -> tuple[str, str]:
        """The hub that it hangs on and the hub's port, as uhubctl names them."""
        if "." in self.name:
            hub, _, port = self.name.rpartition(".")
        else:
            hub, _, port = self.name.partition("-")
        return hub, port

    @property
    def vendor(self) -> str:
        """USB vendor id: four lower-case hex digits; empty where it cannot be read."""
        try:
            return (self.device / "idVendor").read_text(encoding="ascii", errors="replace").strip().lower()
        except OSError:
            return ""

    @property
    def ports(self) -> int:
        """How many serial ports the device shows."""
        return len({*self.device.glob("*:*/tty/*"), *self.device.glob("*:*/*/tty/*")})


def place_of(port: str, sysfs: Path = SYSFS) -> Place | None:
    """The place of the stick behind a port; None for a port that is on no USB."""
    device = (sysfs / "class/tty" / os.path.basename(os.path.realpath(port)) / "device").resolve()
    for folder in (device, *device.parents):
        if (folder / "idVendor").exists():
            return Place(folder.name, folder)
    return None


# USB ID Repository: Huawei, ZTE, Quectel, SIMCom, Sierra Wireless, Telit, u-blox; the udev rules name the same.
MAKERS = frozenset({"12d1", "19d2", "2c7c", "1e0e", "1199", "1bc7", "1546"})
MASS_STORAGE = "08"  # bInterfaceClass, USB-IF defined class codes


def cd_mode(sysfs: Path = SYSFS) -> list[Place]:
    """Sticks of modem makers that show a drive and no serial port: their driver CD for other systems."""
    found = []
    for maker in sorted((sysfs / "bus/usb/devices").glob("*/idVendor")):
        device = maker.parent.resolve()
        classes = {each.read_text().strip() for each in device.glob("*:*/bInterfaceClass")}
        if maker.read_text().strip() in MAKERS and classes == {MASS_STORAGE}:
            found.append(Place(device.name, device))
    return found


def can_reauthorise(place: Place) -> bool:
    return os.access(place.device / "authorized", os.W_OK)


async def reauthorise(place: Place) -> bool:
    """Take the device from its driver and give it back, as if it had been unplugged. False: not allowed, or it is gone.

    Linux, Documentation/usb/authorization.rst: 0 to `authorized` deconfigures the device, 1 configures it anew.
    """
    switch = place.device / "authorized"
    try:
        await in_thread(lambda: switch.write_text("0"))
        await asyncio.sleep(OFF_SECONDS)
        await in_thread(lambda: switch.write_text("1"))
    except OSError as error:
        log.warning("%s: cannot be re-authorised: %s", place.name, error)
        return False
    return True


def can_cycle_power() -> bool:
    return shutil.which("uhubctl") is not None


async def cycle_power(place: Place) -> bool:
    """Cut the power of the hub's port for a moment. False: uhubctl could not, for few hubs can."""
    hub, port = place.hub
    command = ("uhubctl", "-l", hub, "-p", port, "-a", "cycle", "-d", f"{OFF_SECONDS:g}")
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        log.warning("%s: uhubctl: %s", place.name, error)
        return False
    try:
        async with asyncio.timeout(UHUBCTL_SECONDS):
            _, said = await process.communicate()
    except BaseException as error:
        process.kill()
        await process.wait()
        if not isinstance(error, TimeoutError):
            raise
        said = b"it did not end"
    if process.returncode:
        log.warning("%s: uhubctl: %s", place.name, said.decode(errors="replace").strip())
    return process.returncode == 0
