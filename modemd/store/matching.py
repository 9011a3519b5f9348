"""Which status report tells of which part when the part's +CMGS was never seen. What cannot be known is not guessed.

A report names TP-MR, recipient and the centre's time, in whole seconds. Parts that left one line for one phone within
moments of each other differ in nothing but their TP-MR, of which is known only what it may have been.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

LOST_REFERENCES = 4  # a modem may use up a TP-MR for an attempt that the network refused
APART = timedelta(seconds=10)  # stamps that differ by as much tell two parts apart: whole seconds, and some on the way


class Candidate(NamedTuple):
    """A part that the report may tell of, by line, phone and time."""

    id: int
    submitted_at: datetime
    expected_reference: int | None  # None: the line had sent nothing before, and any may be its own


class Told(NamedTuple):
    """A report."""

    id: int
    reference: int
    stamp: datetime
    candidates: Sequence[Candidate]


def decide(reports: Sequence[Told]) -> Mapping[int, int]:
    """The part of each report for which it is certain, by their ids.

    One whose TP-MR and stamp fit one part alone tells of that part. Where as many TP-MRs are told as there are parts
    that they fit, all of them have left, in the order of their TP-MRs. Several reports of one TP-MR belong together.
    """
    told: defaultdict[int, list[Told]] = defaultdict(list)
    for report in reports:
        told[report.reference].append(report)
    rivals = {reference: _rivals(same[0]) for reference, same in told.items()}
    decided: dict[int, int] = {}
    for parts in {tuple(parts) for parts in rivals.values() if parts}:
        references = [reference for reference, fitting in rivals.items() if tuple(fitting) == parts]
        contested = any(set(fitting) & set(parts) for fitting in rivals.values() if tuple(fitting) != parts)
        if len(references) == len(parts) and not (contested and len(parts) > 1):
            in_order = zip(_in_order(references, parts[0].expected_reference), parts, strict=True)
            decided |= {report.id: part.id for reference, part in in_order for report in told[reference]}
    return decided


def _rivals(report: Told) -> list[Candidate]:
    """The parts among which the report does not tell, in the order in which they left."""
    near = [
        part
        for part in report.candidates
        if part.expected_reference is None or (report.reference - part.expected_reference) % 256 <= LOST_REFERENCES
    ]
    off = {part: abs(part.submitted_at - report.stamp) for part in near}
    nearest = min(off.values(), default=timedelta())
    return sorted((part for part in near if off[part] - nearest < APART), key=lambda part: (part.submitted_at, part.id))


def _in_order(references: Sequence[int], first: int | None) -> list[int]:
    """In the order in which a modem has given them; TP-MR wraps at 255."""
    if first is None:
        low = min(references)
        first = low if max(references) - low < 128 else min(each for each in references if each >= 128)
    return sorted(references, key=lambda reference: (reference - first) % 256)
