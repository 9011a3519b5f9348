"""The way into a running bank: one JSON object a line, over a unix socket in the bank's folder."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from modemd.errors import ModemdError, SimulatorError
from modemd.sim.bank import Bank

SOCKET = "control"
_TIMEOUT = 10.0  # s; every order is carried out at once


class ControlServer:
    """Carries out orders for a bank."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._orders: dict[str, Callable[..., Any]] = {
            "text": self._text,
            "phone": self._phone,
            "conversation": self._conversation,
            "phones": self._phones,
            "fault": self._fault,
            "modems": self._modems,
            "measure": self._measure,
            "taken": self._taken,
            "measured": self._measured,
            "unanswered": self._unanswered,
        }

    async def start(self) -> None:
        """Listen. Raises SimulatorError when a bank in this folder already does."""
        folder = self._bank.folder
        folder.mkdir(parents=True, exist_ok=True)
        if is_running(folder):
            raise SimulatorError(dir=folder, reason="another simulated bank is running there")
        (folder / SOCKET).unlink(missing_ok=True)
        with _short_path(folder) as path:
            self._server = await asyncio.start_unix_server(self._serve, path)

    async def stop(self) -> None:
        """Stop listening, hang up on everybody and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        serving = [task for task in self._clients.values() if task is not None]
        for client in self._clients:
            client.close()
        await asyncio.gather(*serving)
        await self._server.wait_closed()
        (self._bank.folder / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients[writer] = asyncio.current_task()
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line without end
            pass
        finally:
            del self._clients[writer]
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            return {"result": self._orders[order.pop("do")](**order)}
        except ModemdError as error:
            return {"error": error.facts.get("reason", str(error)) if isinstance(error, SimulatorError) else str(error)}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return {"error": f"no such order: {error}"}

    def _text(self, number: str, text: str, modem: str | None = None) -> str:
        return self._bank.network.text(number, text, modem)

    def _phone(self, number: str) -> list[dict[str, str]]:
        received = self._bank.network.received(number)
        return [{"from": shown.sender, "text": shown.text, "at": shown.at.isoformat()} for shown in received]

    def _conversation(self, number: str) -> list[dict[str, str]]:
        network = self._bank.network
        said = [("sent", sent.to, sent.text, sent.at) for sent in network.sent(number)]
        said += [("received", shown.sender, shown.text, shown.at) for shown in network.received(number)]
        said.sort(key=itemgetter(3))
        return [{"direction": how, "peer": peer, "text": text, "at": at.isoformat()} for how, peer, text, at in said]

    def _phones(self) -> list[str]:
        return self._bank.network.numbers()

    def _fault(self, modem: str, fault: str) -> None:
        self._bank.fault(modem, fault)

    def _modems(self) -> list[dict[str, str | None]]:
        return [
            {
                "name": modem.name,
                "port": str(port) if (port := self._bank.port_of(modem.name)) else None,
                "number": modem.number,
                "imei": modem.identity.imei,
                "iccid": modem.identity.iccid,
                "operator": modem.identity.operator.name,
                "model": modem.model.name,
            }
            for modem in self._bank.modems.values()
        ]

    def _measure(self) -> None:
        self._bank.network.times.begin()

    def _taken(self) -> int:
        return self._bank.network.times.taken

    def _unanswered(self) -> int:
        return self._bank.network.times.unanswered

    def _measured(self) -> dict[str, Any]:
        return self._bank.network.times.measured()


class ControlClient:
    """Orders to a running bank; one connection for each, so that any thread may use it.

    Every method raises SimulatorError when the bank is not there or says no.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    def text(self, number: str, text: str, modem: str | None = None) -> str:
        """Text the service from a phone, through `modem` or the next one in turn. Returns the modem's name."""
        return str(self._order("text", number=number, text=text, modem=modem))

    def phone(self, number: str) -> list[dict[str, str]]:
        """What the phone has received, the oldest first: `{"from", "text", "at"}`."""
        received: list[dict[str, str]] = self._order("phone", number=number)
        return received

    def conversation(self, number: str) -> list[dict[str, str]]:
        """What the phone has sent and received, the oldest first: `{"direction", "peer", "text", "at"}`."""
        return list(self._order("conversation", number=number))

    def phones(self) -> list[str]:
        """The numbers of all phones that have sent or received something."""
        return list(self._order("phones"))

    def fault(self, modem: str, fault: str) -> None:
        """Give a fault to a modem or to `all`: `cms-error:rate=0.1,code=38`; `none` clears theirs."""
        self._order("fault", modem=modem, fault=fault)

    def modems(self) -> list[dict[str, str | None]]:
        """The modems: name, port (None while unplugged), number, imei, iccid, operator, model."""
        return list(self._order("modems"))

    def measure(self) -> None:
        """Begin to note the times; forget those noted before."""
        self._order("measure")

    def taken(self) -> int:
        """How many parts the modems have answered with a reference since `measure`."""
        return int(self._order("taken"))

    def unanswered(self) -> int:
        """How many phones wait for an answer to what they have texted since `measure`."""
        return int(self._order("unanswered"))

    def measured(self) -> dict[str, Any]:
        """The times noted since `measure`: see `Times.measured`."""
        return dict(self._order("measured"))

    def _order(self, do: str, **arguments: str | None) -> Any:
        try:
            with _connect(self._folder) as connection, connection.makefile("rwb") as stream:
                stream.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
                stream.flush()
                line = stream.readline()
        except OSError as error:
            raise SimulatorError(dir=self._folder, reason=f"it does not run ({error})") from error
        if not line:
            raise SimulatorError(dir=self._folder, reason="it hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise SimulatorError(dir=self._folder, reason=answer["error"])
        return answer["result"]


class SimulatedPhones:
    """The phones of a running bank, for the panel: pick a number, text the service, see the answer arrive.

    Every method raises SimulatorError when the bank does not run.
    """

    def __init__(self, folder: Path, suggested: Sequence[str] = ()) -> None:
        """`suggested`: numbers worth trying, whether they have been used or not."""
        self._client = ControlClient(folder)
        self._suggested = suggested

    def numbers(self) -> list[str]:
        """The suggested phones, then every other that has sent or received something."""
        return list(dict.fromkeys((*self._suggested, *self._client.phones())))

    def text(self, number: str, text: str) -> None:
        """Text the service from the phone with this number, which may be a new one."""
        self._client.text(number, text)

    def conversation(self, number: str) -> list[dict[str, str]]:
        """What the phone shows, the oldest first: `{"direction": "sent" or "received", "peer", "text", "at"}`."""
        return self._client.conversation(number)


def is_running(folder: Path) -> bool:
    """Whether a bank answers in this folder."""
    try:
        _connect(folder).close()
    except OSError:
        return False
    return True


def _connect(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_TIMEOUT)
    try:
        with _short_path(folder) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A path of the socket that fits into the 108 bytes that unix(7) allows, however long the folder's is."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
