import pytest

from modemd.modem.models import GENERIC, MODELS, Model, model_of
from modemd.sim import models as simulated
from tests.sim.bench import Bench


@pytest.mark.parametrize(
    ("manufacturer", "model", "name"),
    [
        ("huawei", "E173", "Huawei"),
        ("SIMCOM_Ltd", "SIMCOM_SIM800L", "SIMCom"),
        ("Quectel", "EC25", "Quectel"),
        ("ZTE INCORPORATED", "MF626", "ZTE"),
        ("SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "SIM7600"),
        ("Quectel_Ltd", "Quectel_M35", "Quectel M"),
        ("Quectel", "EG25", "Quectel"),
        ("WAVECOM MODEM", "MULTIBAND  900E  1800", "Wavecom"),
        ("Sierra Wireless, Incorporated", "MC7455", "Sierra"),
        ("u-blox", "SARA-U201", "u-blox"),
        ("Telit", "GL865-DUAL", "Telit"),
        ("Invented", "M1", "generic"),
        (None, None, "generic"),
    ],
)
def test_a_model_is_found_by_what_it_calls_itself(manufacturer: str | None, model: str | None, name: str) -> None:
    assert model_of(manufacturer, model).name == name


def test_every_row_names_its_source_and_a_modem_without_a_row_is_unverified() -> None:
    assert all(row.source for row in MODELS)
    assert GENERIC.doubt == "no manual or transcript of it was read"


def test_a_row_says_what_in_it_is_unverified() -> None:
    doubts = {row.name: row.doubt for row in MODELS if row.doubt}
    assert set(doubts) == {"ZTE", "Sierra"}
    assert "AT+ZGETICCID" in doubts["ZTE"]


# the simulated ones are the same


INVENTED = {"generic", "terse", "echoing"}
SIMULATED = [model for name, model in simulated.MODELS.items() if name not in INVENTED]


def row_of(model: simulated.Model) -> Model:
    return model_of(model.manufacturer, model.model)


def test_every_row_is_simulated_and_every_simulated_make_has_a_row() -> None:
    assert {row_of(model).name for model in SIMULATED} == {row.name for row in MODELS}


@pytest.mark.parametrize("wanted", ["E1550", "E173", "E3372", "MF626", "EC25", "EG25", "M35", "SIM800", "SIM7600"])
def test_the_models_that_people_use_are_simulated(wanted: str) -> None:
    assert any(wanted in model.model for model in SIMULATED)


@pytest.mark.parametrize("model", SIMULATED, ids=lambda model: model.name)
def test_what_a_row_says_a_simulated_modem_of_it_does(model: simulated.Model) -> None:
    row = row_of(model)
    bench = Bench(model=model.name)
    bench.set_up()
    assert any(bench.ask(command.text)[-1] == "OK" for command in row.iccid)
    assert not row.pin_tries or any(bench.ask(command.text)[-1] == "OK" for command in row.pin_tries)
    assert not model.hush or all(bench.ask(command.text)[-1] == "OK" for command in (*row.manners, *row.talk))


@pytest.mark.parametrize("model", SIMULATED, ids=lambda model: model.name)
def test_each_reset_of_a_row_restarts_a_simulated_modem_of_it(model: simulated.Model) -> None:
    row = row_of(model)
    for command in filter(None, (row.soft_reset, row.vendor_reset)):
        bench = Bench(model=model.name)
        assert bench.ask(command)[-1] == "OK"
        bench.clock.advance(1.0)
        assert len(bench.hang_ups) == 1
