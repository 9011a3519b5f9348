"""What goes wrong with messages: their prompts, answers, copies, order and status reports."""

import math
from dataclasses import dataclass

from modemd.sim.affliction import Fault


@dataclass
class NoPrompt(Fault):
    """AT+CMGS gets no prompt."""

    name = "no-prompt"

    count: int = 1

    def loses_prompt(self) -> bool:
        return self.strikes()


@dataclass
class CmsError(Fault):
    """The part is refused with this +CMS ERROR."""

    name = "cms-error"

    code: int = 500

    def refusal(self) -> int | None:
        return self.code if self.strikes() else None


@dataclass
class AnswerLost(Fault):
    """The network takes the part, and the answer to Ctrl-Z never comes."""

    name = "answer-lost"

    count: int = 1

    def answer_delay(self) -> float:
        return math.inf if self.strikes() else 0.0


@dataclass
class AnswerLate(Fault):
    """The answer to Ctrl-Z comes so many seconds late; until then the modem answers nothing else."""

    name = "answer-late"

    count: int = 1
    seconds: float = 10.0

    def answer_delay(self) -> float:
        return self.seconds if self.strikes() else 0.0


@dataclass
class Duplicate(Fault):
    """The network brings a message twice."""

    name = "duplicate"

    def copies(self) -> int:
        return 2 if self.strikes() else 1


@dataclass
class OutOfOrder(Fault):
    """The network brings the parts of a long message in another order, the last one first."""

    name = "out-of-order"

    def shuffles(self) -> bool:
        return self.strikes()


@dataclass
class ReportMissing(Fault):
    """The status report never comes."""

    name = "report-missing"

    def report_delay(self) -> float:
        return math.inf if self.strikes() else 0.0


@dataclass
class ReportLate(Fault):
    """The status report comes so many seconds late."""

    name = "report-late"

    seconds: float = 30.0

    def report_delay(self) -> float:
        return self.seconds if self.strikes() else 0.0


@dataclass
class ReportStatus(Fault):
    """The status report says this TP-ST (23.040, 9.2.3.15): 70 is "validity period expired"."""

    name = "report-status"

    status: int = 70

    def report_status(self) -> int | None:
        return self.status if self.strikes() else None
