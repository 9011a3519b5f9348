"""Takes files from the drop folder in a process of its own: however large an import is, no answer waits for it.

`python -m modemd.billing.taking` reads its order from standard input, for the URL of a database may hold a password.
On SIGTERM it breaks off and leaves nothing half done. It is not niced: whoever waits for SQLite's lock would wait
for its turn too.
"""

import contextlib
import json
import logging
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from modemd import logs
from modemd.billing.dropfolder import DropFolder
from modemd.errors import Because, ImportStopped
from modemd.store import database

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 10.0  # from SIGTERM to SIGKILL: a file is checked whole before anybody looks at the signal


@dataclass(frozen=True, slots=True)
class Order:
    """What the daemon wants taken."""

    url: str
    data: str  # [daemon] data
    host: str
    level: int  # of the log


def run(order: Order, stopping: threading.Event) -> int:
    """Have the process take what is there, and wait for it; returns its exit status. Breaks it off when `stopping`."""
    command = [sys.executable, "-P", "-m", "modemd.billing.taking"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        if process.stdin is not None:
            process.stdin.write(json.dumps(asdict(order)).encode())
            process.stdin.close()
        while process.poll() is None:
            if stopping.wait(0.1):
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE_SECONDS)
                process.kill()
        return process.returncode


def take(order: Order, stopping: threading.Event) -> int:
    """Take what is there, in this process; returns how many files went their way."""

    def go_on(_done: int, _of: int) -> None:
        if stopping.is_set():
            raise ImportStopped(reason=Because("the daemon stops"))

    engine = database.connect(order.url)
    try:
        return DropFolder(engine, Path(order.data), order.host).take(datetime.now(UTC), go_on)
    except ImportStopped as stopped:
        log.info("%s", stopped)
        return 0
    finally:
        engine.dispose()


def main() -> None:
    order = Order(**json.load(sys.stdin))
    logs.begin(order.level)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which tells us
    try:
        take(order, stopping)
    except Exception:
        log.exception("files from billing are not taken")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
