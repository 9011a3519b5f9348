import json

from click.testing import CliRunner

from modemd.cli.main import cli


def test_explain_reads_one_text() -> None:
    result = CliRunner().invoke(cli, ["explain", "smetka 300000000001", "--json"])
    assert json.loads(result.stdout) == {
        "text": "smetka 300000000001",
        "kind": "bill",
        "customer_numbers": ["300000000001"],
    }


def test_explain_gives_one_object_for_each_line_of_stdin() -> None:
    lines = [json.dumps("smetka"), "", json.dumps("stop\nmolya"), "not json", "7", json.dumps("\ud83d")]
    result = CliRunner().invoke(cli, ["explain", "--json", "-"], input="\n".join(lines) + "\n")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each.get("kind") for each in objects] == ["bill", "unknown", "stop", None, None, "unknown"]
    assert objects[5]["text"] == "\ud83d"
    assert result.exit_code == 1
