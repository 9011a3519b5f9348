"""How many modems, hosts and hours a load takes: `modemd plan`. README says where the figures come from."""

import math
from dataclasses import dataclass, replace

MODEMS_A_HOST = 32  # two USB hubs of 16 with a supply of their own
# A second, all of it on two cores: daemon, database and the simulated modems, which answer at once. 1,726 by
# modemd bench --modems 32 --send-seconds 0 --messages 8000 --questions 8 --database postgresql+psycopg://…
HOST_PARTS = 1_700
DATABASE_PARTS = 1_700  # for all hosts together: no more than what one of them was seen to get
WORTH_ITS_CARE = 64  # SIMs; where a day's work takes more, an SMPP connection to the operators is the right line
MULTIPLES = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Load:
    recipients: int
    parts: int  # of each message
    modems: int
    seconds: float  # that a modem is busy with a part
    per_minute: int = 10  # parts for each SIM; 0: no cap, here and for per_day
    per_day: int = 1000
    hours_a_day: float = 10.0  # that the sending window is open
    reserve: float = 10.0  # % of per_day that only answers may use

    def times(self, multiple: int) -> "Load":
        return replace(self, recipients=multiple * self.recipients)


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes of a load."""

    total_parts: int
    parts_a_second: float  # of all modems together
    hours: float  # of sending
    days: int
    limited_by: str  # "modem", "per_minute", "per_day", "host" or "database": what sending waits for
    hosts: int
    modems_for_a_day: int  # that do it all within one window
    hosts_for_a_day: int
    smpp: bool  # an SMPP connection is the right line


def plan(load: Load) -> Plan:
    """How long the load takes with the modems that are there, and how many would do it in one day."""
    parts = load.recipients * load.parts
    hosts = math.ceil(load.modems / MODEMS_A_HOST)
    each = {
        "modem": 1 / load.seconds if load.seconds else math.inf,
        "per_minute": load.per_minute / 60 if load.per_minute else math.inf,
    }
    rates = {name: load.modems * rate for name, rate in each.items()}
    rates |= {"host": float(hosts * HOST_PARTS), "database": float(DATABASE_PARTS)}
    limited_by = min(rates, key=rates.__getitem__)
    rate, window = rates[limited_by], 3600 * load.hours_a_day
    day = load.per_day - int(load.per_day * load.reserve / 100) if load.per_day else math.inf
    capped = load.modems * day
    if capped < min(parts, rate * window):
        limited_by = "per_day"
    most = min(min(each.values()) * window, day)  # of one modem in a day
    needed = math.ceil(parts / min(most, parts or 1))
    return Plan(
        total_parts=parts,
        parts_a_second=round(rate, 3),
        hours=round(parts / rate / 3600, 2),
        days=math.ceil(parts / min(rate * window, capped)),
        limited_by=limited_by,
        hosts=hosts,
        modems_for_a_day=needed,
        hosts_for_a_day=math.ceil(needed / MODEMS_A_HOST),
        smpp=needed > WORTH_ITS_CARE,
    )
