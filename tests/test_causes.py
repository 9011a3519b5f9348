"""Every number of the standards has its words, and the ones that nobody has named yet have them too."""

import pytest

from modemd import causes
from modemd.causes import CME, CMS, TP_ST, Cause, Fault, Next

SUBMIT_CAUSES = {  # 24.011, annex E-2
    *(1, 8, 10, 21, 27, 28, 29, 30, 38, 41, 42, 47, 50, 69, 81, 95, 96, 97, 98, 99, 111, 127)
}
FAILURE_CAUSES = {  # 23.040, 9.2.3.22
    *(0x80, 0x81, 0x82, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xAF, 0xB0, *range(0xC0, 0xC8), *range(0xD0, 0xD6), 0xFF)
}
MODEM_CAUSES = {  # 27.005, 3.2.5
    *(*range(300, 306), *range(310, 319), 320, 321, 322, 330, 331, 332, 340, 500)
} - {319}
EQUIPMENT_CAUSES = {  # 27.007, 9.2.1 and 9.2.2.1
    *(*range(8), *range(10, 19), *range(20, 28), 30, 31, 32, *range(40, 64), 100),
    *(103, 106, 107, 108, 111, 112, 113, 114, 115, 122, 125, *range(172, 177)),
}
STATUSES = {*range(3), *range(0x20, 0x26), *range(0x40, 0x4A), *range(0x60, 0x66)}  # 23.040, 9.2.3.15


def test_the_tables_name_every_number_that_the_standards_name() -> None:
    assert set(CMS) >= SUBMIT_CAUSES | FAILURE_CAUSES | MODEM_CAUSES
    assert set(CME) >= EQUIPMENT_CAUSES
    assert set(TP_ST) == STATUSES


@pytest.mark.parametrize(
    "cause",
    [
        *(pytest.param(causes.cms(code), id=f"CMS {code}") for code in (*range(513), 9999)),
        *(pytest.param(causes.cme(code), id=f"CME {code}") for code in (*range(260), 9999)),
        *(pytest.param(causes.tp_st(status), id=f"TP-ST {status}") for status in range(256)),
    ],
)
def test_every_number_has_a_name_a_fault_and_what_happens_next(cause: Cause) -> None:
    assert cause.name
    said = str(cause)
    assert said.startswith((f"{cause.fault}, permanent: ", f"{cause.fault}, transient: "))
    assert cause.next in said
    assert cause.advice in said


@pytest.mark.parametrize("code", [1, 10, 28, 30, 96, 195, 304])
def test_what_will_never_pass_is_permanent(code: int) -> None:
    assert causes.cms(code).permanent


@pytest.mark.parametrize("code", [8, 21, 27, 38, 41, 42, 47, 192, 300, 310, 314, 322, 331, 332, 500, 512])
def test_what_may_pass_later_or_through_another_sim_is_transient(code: int) -> None:
    assert not causes.cms(code).permanent


def test_only_the_message_or_the_network_makes_a_refusal_permanent() -> None:
    assert {cause.fault for cause in CMS.values() if cause.permanent} <= {Fault.MESSAGE, Fault.NETWORK}
    assert not any(cause.permanent for cause in CME.values())


@pytest.mark.parametrize(
    "cause", [cause for table in (CMS, CME) for cause in table.values() if cause.fault is Fault.SIM], ids=str
)
def test_a_sim_s_fault_comes_with_a_technician_s_step_unless_it_passes(cause: Cause) -> None:
    assert cause.advice or cause.name.endswith(("busy", "data download error"))


def test_an_unnamed_number_below_128_is_a_temporary_failure() -> None:
    """24.011, annex E-2: all other values are treated as 41."""
    assert causes.cms(33) is CMS[41]
    assert causes.cms(0) is CMS[41]


@pytest.mark.parametrize(
    ("first", "last", "follows"),
    [
        (0x00, 0x1F, Next.ARRIVED),
        (0x20, 0x3F, Next.CENTRE_TRIES),
        (0x40, 0x7F, Next.CENTRE_ENDED),
        (0x80, 0xFF, Next.CENTRE_ENDED),
    ],
)
def test_a_tp_st_means_what_its_group_means(first: int, last: int, follows: Next) -> None:
    assert {causes.tp_st(status).next for status in range(first, last + 1)} == {follows}
