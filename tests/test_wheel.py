"""The wheel is complete: installed into an empty environment it runs the demo."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.timeout(600)
@pytest.mark.long
def test_the_wheel_alone_runs_the_demo(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("modemd-*.whl")
    venv.create(tmp_path / "empty", symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", tmp_path / "empty/bin/python", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-compile", wheel, cwd=tmp_path)
    shown = json.loads(run(tmp_path / "empty/bin/modemd", "demo", "--once", "--json", "--port", 0, cwd=tmp_path))
    assert shown["question"] == "smetka"
    assert "37,91 EUR" in shown["answer"]
