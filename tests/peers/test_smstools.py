"""SMS Server Tools 3, from Debian, drives the simulated bank."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.programs import MODEMS, OUTGOING, installed, receive, running, see_sent
from tests.simulated_bank import SimulatedBank

FOLDERS = ("incoming", "outgoing", "sent", "failed", "checked")


def configure(folder: Path, bank: SimulatedBank) -> Path:
    """Write its settings and make its folders."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    lines = [
        f"devices = {','.join(f'GSM{index}' for index in range(MODEMS))}",
        *(f"{name} = {folder}/{name}" for name in FOLDERS),
        f"logfile = {folder}/log",
        f"infofile = {folder}/info",
        f"pidfile = {folder}/pid",
        "delaytime = 1",
    ]
    for index in range(MODEMS):
        lines += [f"[GSM{index}]", f"device = {bank.port(index)}", "incoming = yes", "baudrate = 115200"]
    settings = folder / "smsd.conf"
    settings.write_text("\n".join(lines) + "\n")
    return settings


def inbox(folder: Path) -> list[tuple[str, str]]:
    """The messages that it has got: number and text."""
    found = []
    for path in (folder / "incoming").iterdir():
        head, _, body = path.read_bytes().partition(b"\n\n")
        fields = dict(line.partition(": ")[::2] for line in head.decode().splitlines())
        text = body.decode("utf-16-be" if fields.get("Alphabet") == "UCS2" else "ascii", "ignore")
        if fields.get("Length") == str(len(text)):  # otherwise it is still being written
            found.append((f"+{fields['From']}", text))
    return found


@pytest.mark.timeout(240)
@pytest.mark.long
def test_smstools_send_50_and_receive_20(simulated_bank: Callable[..., SimulatedBank], tmp_path: Path) -> None:
    program = installed("smsd", "smstools")
    bank = simulated_bank(modems=MODEMS)
    folder = tmp_path / "smstools"
    settings = configure(folder, bank)
    for number, text in OUTGOING.items():
        message = f"To: {number[1:]}\nAlphabet: UTF-8\n\n{text}"
        (folder / "outgoing" / number[1:]).write_text(message, encoding="utf-8")
    with running(folder / "said", program, "-t", "-c", settings):
        receive(bank, lambda: inbox(folder))
        see_sent(bank)
