"""Transcripts from the field, replayed to the real daemon: one daemon, each transcript a modem of its bank."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from modemd.modem.masking import mask
from modemd.pdu.submit import Submit
from modemd.sim import recording
from modemd.store import database, rules
from tests.flow.running import RunningService

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*/*.txt"))


class Expected(NamedTuple):
    """What the daemon makes of it. `states` that its message may come to stand in; none: it has none to send."""

    states: tuple[str, ...] = ()
    why: str = ""  # in the message's error, or in the reason of a modem that is not ready
    ready: bool = True
    received: int = 0


EXPECTED = {
    "huawei-e1550/chatter-inside-a-listing": Expected(received=2),
    "huawei-e173/silent-after-ctrl-z": Expected(("in_doubt",), "answer", ready=False),
    "quectel-ec25/noise-in-front-of-the-prompt": Expected(("sent",)),
    "quectel-m35/late-reference": Expected(("sent",)),
    "sim7600/stored-pdu-breaks-off": Expected(received=2),
    "sim800/restart-in-mid-send": Expected(("in_doubt",)),
    "telit-he910/hung-up-in-mid-send": Expected(("in_doubt",)),
    "wavecom/busy-with-the-network": Expected(("queued", "sent", "delivered"), "CMS ERROR: 500"),
    "zte-mf626/status-report-before-the-prompt": Expected(("sent",)),  # its report is older than the message
}


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def test_every_transcript_has_its_expectation() -> None:
    assert [name_of(path) for path in TRANSCRIPTS] == sorted(EXPECTED)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
def test_a_transcript_names_its_source_and_holds_no_number_or_text(path: Path) -> None:
    found = recording.read(path)
    assert found.facts["source"]
    assert [mask(piece.octets) for piece in found.pieces] == [piece.octets for piece in found.pieces]


@pytest.mark.long
def test_what_failed_in_the_field_fails_again_and_costs_no_message(service: Callable[..., RunningService]) -> None:
    replays = [argument for path in TRANSCRIPTS for argument in ("--replay", str(path))]
    running = service(
        modems=0,
        bank_options=(*replays, "--pace", "0.05"),
        settings="bank.send_timeout = 3\nbank.command_timeout = 2",
    )
    running.start_bank()
    running.start_daemon()
    running.wait_until_ready(len(TRANSCRIPTS))
    port_of = {name_of(path): str(running.bank / f"modem{index:02}") for index, path in enumerate(TRANSCRIPTS)}
    numbers = {name_of(path): number for path in TRANSCRIPTS if (number := _recipient(path))}
    assert set(numbers) == {name for name, expected in EXPECTED.items() if expected.states}
    _prefer(running, {port_of[name]: number for name, number in numbers.items()})
    queue = running.folder / "queue.csv"
    queue.write_text("to,text\n" + "".join(f"{to},Zdravey\n" for to in numbers.values()), encoding="utf-8")
    assert running.run("send", "-c", running.config, "--csv", queue).returncode == 0

    for name, expected in EXPECTED.items():
        seen: list[object] = []
        try:
            running.until(lambda e=expected, n=name, s=seen: _has_come(running, e, numbers.get(n), port_of[n], s))
        except AssertionError as error:
            raise AssertionError(f"{name}: {expected} was {list(dict.fromkeys(map(str, seen)))}") from error
    assert len(running.messages(direction="mo")) == sum(expected.received for expected in EXPECTED.values())


def _recipient(path: Path) -> str | None:
    """Whom the recorded daemon sent its message to, as it is masked; None: it sent none."""
    bodies = [piece.octets[:-1] for piece in recording.read(path).pieces if piece.octets.endswith(b"\x1a")]
    return Submit.decode(bytes.fromhex(bodies[0].decode())).number.number if bodies else None


def _prefer(running: RunningService, numbers: dict[str, str]) -> None:
    """Let each modem's line take what goes to its own number."""
    line_of = {modem.port: modem.line_id for modem in running.overview()}
    assert len(set(line_of.values())) == len(TRANSCRIPTS)
    with running.engine() as engine, database.writing(engine) as connection:
        for port, number in numbers.items():
            line_id = line_of[port]
            assert line_id is not None
            rules.change(connection, line_id, prefixes=number)


def _has_come(running: RunningService, expected: Expected, number: str | None, port: str, seen: list[object]) -> bool:
    message = running.messages(number=number)[0] if number else None
    (modem,) = (modem for modem in running.overview() if modem.port == port)
    said = [message and message.error, modem.reason]
    seen.append((message and message.state, modem.state, said))
    return (
        (message is None or message.state in expected.states)
        and (modem.state == "ready") is expected.ready
        and any(expected.why in (words or "") for words in said)
    )
