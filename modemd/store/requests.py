"""What is asked of the ledger, and how the verbs of one round are made of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from modemd.errors import VerbFailed

NOT_HASTY = 9
V = TypeVar("V", bound=Callable[..., Any])
Statements = Callable[..., Sequence[tuple[str, Any]]]
_HASTY: dict[Callable[..., Any], int] = {}
_AT_ONCE: dict[Callable[..., Any], Statements] = {}


def hasty(place: int, at_once: Statements | None = None) -> Callable[[V], V]:
    """Mark a verb that somebody waits for and that bears that what was asked for with `later` is not there yet.

    `place`: among the hasty verbs of one round, the lowest runs first. `at_once`: given what the verb is, the SQL and
    parameters, as PostgreSQL's driver takes them, of a round with nothing else; they fail with bulk.UNLIKE where the
    verb would not merely run them. Its results are None.
    """

    def marked(verb: V) -> V:
        _HASTY[verb] = place
        if at_once is not None:
            _AT_ONCE[verb] = at_once
        return verb

    return marked


@dataclass(slots=True)
class Request:
    """One verb that somebody has asked for."""

    verb: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: asyncio.Future[Any] | None  # None: nobody waits
    gathered: bool = False  # takes items
    item: Any = None
    later: bool = False


class Call:
    """One verb of a round with the requests that it serves."""

    def __init__(self, first: Request) -> None:
        self.first = first
        self.requests = [first]

    def run(self, conn: Connection, now: datetime) -> Sequence[Any]:
        """One result per request."""
        verb, args, kwargs = self.first.verb, self.first.args, self.first.kwargs
        if not self.first.gathered:
            return [verb(conn, *args, **kwargs)]
        results: Sequence[Any] = verb(conn, self._items, now, *args, **kwargs)
        if len(results) != len(self.requests):
            raise VerbFailed(reason=f"{verb} gave {len(results)} results for {len(self.requests)} items")
        return results

    def at_once(self, conn: Connection, now: datetime) -> Sequence[tuple[str, Any]] | None:
        """What to send instead of running it, if it is alone in its round; see `hasty`."""
        statements = _AT_ONCE.get(self.first.verb)
        return statements and statements(conn, self._items, now, *self.first.args, **self.first.kwargs)

    @property
    def _items(self) -> list[Any]:
        return [each.item for each in self.requests]


Outcome = tuple[Request, Any, BaseException | None]


def gather(requests: Sequence[Request]) -> list[Call]:
    """Requests with one verb and the same arguments become one call, at the place of the first of them.

    The hasty ones come first, then what was put off, then the rest. Within a round, verbs may thus overtake each other;
    they have to bear that.
    """
    calls: list[Call] = []
    known: dict[Any, Call] = {}
    for request in requests:
        if not request.gathered:
            calls.append(Call(request))
            continue
        key = (request.verb, request.args, tuple(request.kwargs.items()))
        call = known.get(key)
        if call is None:
            known[key] = call = Call(request)
            calls.append(call)
        else:
            call.requests.append(request)
    return sorted(calls, key=lambda call: (_place(call.first), not call.first.later))


def _place(request: Request) -> int:
    return _HASTY.get(getattr(request.verb, "__func__", request.verb), NOT_HASTY)  # of a method, the function


def in_haste(request: Request) -> bool:
    return _place(request) < NOT_HASTY
