"""Forks daemons that have everything imported: a start costs a tenth of a second of processor time, not one.

`python -m tests.flow.nursery CONFIG LOG` forks one for each line that it reads, and prints its process id.
"""

import os
import signal
import sys

from modemd.cli import run  # noqa: F401 -- what `modemd run` needs, before the first fork
from modemd.cli.main import main


def _daemon(config: str, log: str) -> None:
    """The forked process, until it ends or is killed."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    kept = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(kept, 2)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    sys.argv = ["modemd", "run", "-c", config]
    main()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            _daemon(*sys.argv[1:])
            os._exit(0)
        print(child, flush=True)
