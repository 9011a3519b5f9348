"""Schemathesis asks the running API whatever its description allows, and much that it forbids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.api.process import running_api
from web.api.operations import OPERATIONS

EXAMPLES = 40  # for each operation and phase
LEFT_OUT = (  # what no description can say: which numbers exist, and when something may be cancelled
    "positive_data_acceptance",
)


@pytest.mark.long
def test_schemathesis_finds_no_fault_and_nothing_undocumented(tmp_path: Path, sqlite_template: Path) -> None:
    with running_api(tmp_path, sqlite_template) as api:
        token = api.token(per_minute=0)
        command = [Path(sys.executable).parent / "schemathesis", "run", f"{api.url}/api/v1/openapi.json"]
        options = ["--max-examples", str(EXAMPLES), "--header", f"Authorization: Bearer {token}"]
        options += ["--exclude-checks", ",".join(LEFT_OUT), "--generation-database", "none"]
        if "CI" in os.environ:  # as Hypothesis does there: what passed once passes again
            options += ["--seed", "1"]
        done = subprocess.run(
            [*map(str, command), *options],
            capture_output=True,
            text=True,
            timeout=280,
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"Tested: {len(OPERATIONS)}\n" in done.stdout
