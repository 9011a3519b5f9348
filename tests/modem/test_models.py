import pytest

from modemd.modem.models import GENERIC, MODELS, model_of


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
    assert all(row.verified for row in MODELS)
    assert not GENERIC.verified
