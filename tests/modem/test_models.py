import pytest

from modemd.modem.models import GENERIC, MODELS, model_of


@pytest.mark.parametrize(
    ("manufacturer", "model", "name"),
    [
        ("huawei", "E173", "Huawei"),
        ("SIMCOM_Ltd", "SIMCOM_SIM800L", "SIMCom"),
        ("Quectel", "EC25", "Quectel"),
        ("Telit", "GL865-DUAL", "Telit"),
        ("Invented", "M1", "generic"),
        (None, None, "generic"),
    ],
)
def test_a_model_is_found_by_what_it_calls_itself(manufacturer: str | None, model: str | None, name: str) -> None:
    assert model_of(manufacturer, model).name == name


def test_every_row_names_its_source() -> None:
    assert all(row.source for row in (*MODELS, GENERIC))
