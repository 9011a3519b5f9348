import json

import pytest
from click.testing import CliRunner, Result

from modemd.cli.main import cli


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["pdu", *arguments], input=stdin)


def test_encode_prints_one_json_value_with_length_and_pdu() -> None:
    result = run("encode", "--to", "+359881234567", "--text", "smetka", "--json")
    assert result.exit_code == 0
    (part,) = json.loads(result.stdout)
    assert set(part) == {"length", "pdu"}
    assert part["length"] == len(part["pdu"]) // 2 - 1
    assert part["pdu"] == part["pdu"].lower()


def test_what_is_encoded_decodes_to_the_same() -> None:
    pdu = json.loads(run("encode", "--to", "170077", "--text", "Сметка 😀", "--json").stdout)[0]["pdu"]
    decoded = json.loads(run("decode", pdu, "--json").stdout)
    assert (decoded["type"], decoded["number"], decoded["text"]) == ("submit", "170077", "Сметка 😀")
    assert decoded["alphabet"] == "ucs2"


def test_the_reference_of_a_long_text_is_the_concatenation_reference() -> None:
    parts = json.loads(
        run("encode", "--to", "+359881234567", "--text", "a" * 161, "--reference", "77", "--json").stdout
    )
    concat = [json.loads(run("decode", part["pdu"], "--json").stdout)["concat"] for part in parts]
    assert concat == [{"reference": 77, "total": 2, "part": 1}, {"reference": 77, "total": 2, "part": 2}]


@pytest.mark.parametrize("text", ["", "я" * 671])
def test_an_empty_text_or_more_than_ten_parts_fails(text: str) -> None:
    result = run("encode", "--to", "+359881234567", "--text", text, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""


def test_flash_and_no_status_report_show_in_the_pdu() -> None:
    (part,) = json.loads(
        run("encode", "--to", "+359881234567", "--text", "a", "--flash", "--no-status-report", "--json").stdout
    )
    assert part["pdu"][2:4] == "01"
    assert json.loads(run("decode", part["pdu"], "--json").stdout)["class"] == 0


def test_decode_from_stdin_gives_one_object_for_each_line_also_for_blank_and_bad_ones() -> None:
    good = json.loads(run("encode", "--to", "170077", "--text", "a", "--json").stdout)[0]["pdu"]
    result = run("decode", "-", "--json", stdin=f"{good}\n\nnot hex\n0\n  {good.upper()}  \n")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["error" in each for each in objects] == [False, True, True, True, False]
    assert result.exit_code == 1


def test_decode_of_a_bad_pdu_says_why_and_fails() -> None:
    result = run("decode", "0004", "--json")
    assert result.exit_code == 1
    assert "error" in json.loads(result.stdout)


def test_missing_arguments_are_misuse() -> None:
    assert run("encode", "--text", "a").exit_code == 2
