import pytest

from modemd.errors import SimulatorError
from modemd.sim import models


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(SimulatorError, match="generic, huawei, simcom"):
        models.find("nokia")
