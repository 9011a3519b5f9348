"""The udev rules, over what the sticks of modem/models.py tell the kernel.

Vendor and product numbers as in the Linux drivers option, sierra and cdc_acm, and in the USB ID Repository.
"""

import pytest

from modemd.setup import shipped
from tests.setup import udev
from tests.setup.udev import Device, Parent

RULES = shipped.text("udev/60-modemd.rules")
SOCKET = "pci-0000:00:14.0-usb-0:1.2"

# model: (vendor, product, serial number, its ports as kernel name and interface)
STICKS = {
    "Huawei E1550": ("12d1", "1001", "", [("ttyUSB0", "00"), ("ttyUSB1", "01"), ("ttyUSB2", "02")]),
    "Huawei E173": ("12d1", "1436", "", [("ttyUSB0", "00"), ("ttyUSB1", "03"), ("ttyUSB2", "04")]),
    "Huawei E3372": ("12d1", "1506", "", [("ttyUSB0", "00"), ("ttyUSB1", "01")]),
    "ZTE MF": ("19d2", "0031", "1234567890ABCDEF", [("ttyUSB0", "00"), ("ttyUSB1", "01"), ("ttyUSB2", "03")]),
    "Quectel EC25": ("2c7c", "0125", "", [(f"ttyUSB{n}", f"0{n}") for n in range(4)]),
    "SIMCom SIM7600": ("1e0e", "9001", "0123456789ABCDEF", [(f"ttyUSB{n}", f"0{n}") for n in range(5)]),
    "Sierra MC7455": ("1199", "9071", "LF00000000000000", [("ttyUSB0", "00"), ("ttyUSB1", "02"), ("ttyUSB2", "03")]),
    "Telit HE910": ("1bc7", "0021", "357164000000000", [("ttyACM0", "00"), ("ttyACM3", "06")]),
    "u-blox LISA-U2": ("1546", "1102", "", [(f"ttyACM{n}", f"0{2 * n}") for n in range(3)]),
}
PORTS = [(model, *port) for model, (*_, ports) in STICKS.items() for port in ports]


def port_of(vendor: str, product: str, serial: str, kernel: str, interface: str) -> Device:
    above = (
        Parent("usb-serial", {}),
        Parent("usb", {"bInterfaceNumber": interface}),
        Parent("usb", {"idVendor": vendor, "idProduct": product, "serial": serial}),
        Parent("usb", {"idVendor": "1d6b", "idProduct": "0002", "serial": "0000:00:14.0"}),  # the root hub
    )
    found = {"ID_USB_INTERFACE_NUM": interface} | ({"ID_SERIAL_SHORT": serial} if serial else {})
    return Device(
        "tty",
        kernel,
        f"/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/1-1.2:1.{int(interface)}/{kernel}/tty/{kernel}",
        parents=above,
        builtins={"usb_id": found, "path_id": {"ID_PATH": f"{SOCKET}:1.{int(interface)}"}},
        group="dialout",
        mode="0660",
    )


def stick_of(vendor: str, product: str) -> Device:
    env = {"DEVTYPE": "usb_device"}
    attributes = {"idVendor": vendor, "idProduct": product, "bDeviceClass": "00"}
    return Device("usb", "1-1.2", "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2", env=env, attributes=attributes)


@pytest.mark.parametrize(("model", "kernel", "interface"), PORTS)
def test_each_port_of_a_modem_has_a_name_for_its_socket_and_belongs_to_modemd(
    model: str, kernel: str, interface: str
) -> None:
    vendor, product, serial, _ = STICKS[model]
    port = udev.apply(RULES, port_of(vendor, product, serial, kernel, interface))
    names = {f"modemd/path-{SOCKET}:1.{int(interface)}"}
    names |= {f"modemd/serial-{serial}-if{interface}"} if serial else set()
    assert port.links == names
    assert (port.group, port.mode) == ("modemd", "0660")


@pytest.mark.parametrize("model", STICKS)
def test_modemmanager_leaves_a_modem_and_its_ports_alone(model: str) -> None:
    vendor, product, serial, ports = STICKS[model]
    assert udev.apply(RULES, stick_of(vendor, product)).env["ID_MM_DEVICE_IGNORE"] == "1"
    for kernel, interface in ports:
        port = udev.apply(RULES, port_of(vendor, product, serial, kernel, interface))
        assert (port.env["ID_MM_DEVICE_IGNORE"], port.env["ID_MM_PORT_IGNORE"]) == ("1", "1")


@pytest.mark.parametrize("model", STICKS)
def test_the_recovery_ladder_may_write_authorized_of_a_modem_and_nothing_else(model: str) -> None:
    stick = udev.apply(RULES, stick_of(*STICKS[model][:2]))
    file = "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/authorized"
    assert stick.programs == [f"/bin/chgrp modemd {file}", f"/bin/chmod 0664 {file}"]


def test_the_first_name_of_a_port_is_its_sockets() -> None:
    """Sticks of one make may show one serial number: the daemon takes the first name in the alphabet."""
    names = udev.apply(RULES, port_of("1e0e", "9001", "0123456789ABCDEF", "ttyUSB2", "02")).links
    assert sorted(names)[0].startswith("modemd/path-")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(port_of("0403", "6001", "A900ABCD", "ttyUSB0", "00"), id="FTDI adapter"),
        pytest.param(port_of("1a86", "7523", "", "ttyUSB0", "00"), id="CH340 adapter"),
        pytest.param(port_of("2341", "0043", "75430353", "ttyACM0", "00"), id="Arduino"),
        pytest.param(stick_of("046d", "c31c"), id="keyboard"),
        pytest.param(stick_of("1d6b", "0002"), id="hub"),
        pytest.param(Device("tty", "ttyS0", "/devices/pnp0/00:01/tty/ttyS0"), id="built-in port"),
    ],
)
def test_what_is_no_modem_is_left_as_it_is(other: Device) -> None:
    before = (other.group, other.mode)
    after = udev.apply(RULES, other)
    assert (after.group, after.mode) == before
    assert not after.links
    assert not after.programs
    assert not any(key.startswith("ID_MM") for key in after.env)


def test_a_modem_behind_an_adapter_is_named_by_a_rule_of_ones_own() -> None:
    own = 'SUBSYSTEM=="tty", SUBSYSTEMS=="usb", ATTRS{idVendor}=="0403", ATTRS{serial}=="A900ABCD", ENV{MODEMD}="1"\n'
    assert own.strip() in RULES.replace("#   ", "")  # the example that the file gives
    fastrack = udev.apply(own + RULES, port_of("0403", "6001", "A900ABCD", "ttyUSB0", "00"))
    assert fastrack.links == {f"modemd/path-{SOCKET}:1.0", "modemd/serial-A900ABCD-if00"}
    assert fastrack.group == "modemd"


def test_what_is_neither_stick_nor_port_is_left_alone_though_a_rule_of_ones_own_names_it() -> None:
    network = udev.apply(RULES, Device("net", "wwan0", "/devices/1-1.2/net/wwan0", env={"MODEMD": "1"}))
    assert not network.programs
    assert "ID_MM_DEVICE_IGNORE" not in network.env


def test_nothing_is_done_for_what_goes_away() -> None:
    assert not udev.apply(RULES, stick_of("12d1", "1001"), action="remove").programs
