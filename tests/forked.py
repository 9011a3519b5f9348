"""`modemd` in processes of its own, forked from one that has everything imported.

A start costs a tenth of a second of processor time, not a whole one. How a process comes into being makes no difference
to what it does; the demo, the wheel and the panel's server are started from nothing in their own tests.
"""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from modemd.cli.main import COMMANDS, main

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([__name__, *sorted({module.partition(":")[0] for module in COMMANDS.values()})])


def start(*arguments: object, stdin: Path | None = None, stdout: Path | None = None, stderr: Path) -> BaseProcess:
    """`modemd` with these arguments, in the background; what it prints is added to the files."""
    given = (list(map(str, arguments)), dict(os.environ), stdin, stdout, stderr)
    process = _fork.Process(target=_run, args=given, daemon=True)
    process.start()
    return process


def run(*arguments: object, stdin: str = "", timeout: float) -> subprocess.CompletedProcess[str]:
    """`modemd` with these arguments, to its end. Raises TimeoutError."""
    with TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("stdin", "stdout", "stderr"))
        given.write_text(stdin, encoding="utf-8")
        process = start(*arguments, stdin=given, stdout=out, stderr=err)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"modemd {arguments} did not end: {err.read_text(encoding='utf-8')}")
        printed, said = (path.read_text(encoding="utf-8") for path in (out, err))
        return subprocess.CompletedProcess(list(arguments), process.exitcode, printed, said)


def _run(
    arguments: list[str], environment: dict[str, str], stdin: Path | None, stdout: Path | None, stderr: Path
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    _put(0, os.open(stdin or os.devnull, os.O_RDONLY))
    for number, path in ((1, stdout or Path(os.devnull)), (2, stderr)):
        _put(number, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- the process's own; multiprocessing has closed it
    sys.argv = ["modemd", *arguments]
    main()


def _put(number: int, opened: int) -> None:
    os.dup2(opened, number)
    os.close(opened)
