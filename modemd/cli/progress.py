"""Progress bars on stderr, for what takes longer than a person likes to wait unsure."""

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


def bars() -> Progress:
    """A context; add bars to it with `begin`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def begin(progress: Progress, name: str) -> Callable[[int, int], None]:
    """A new bar; call what this returns with (done, total)."""
    return partial(_move, progress, progress.add_task(name, total=None))


def _move(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)
