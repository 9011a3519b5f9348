"""The AT console reads; it sends, locks, deletes and sets nothing that the daemon relies on."""

from pathlib import Path

import pytest

from modemd.errors import ConsoleRefused, NoPin, NotNow
from modemd.modem import console
from modemd.modem.lifecycle import State
from tests.modem.bench import living, wired
from tests.modem.scripted_modem import line

REFUSED = {
    "locks": ('AT+CPIN="1234"', "AT+CPIN?", 'at+clck="SC",1,"1234"', 'AT+CPWD="SC","1","2"', "AT+CRSM=176,28539"),
    "sends": ("AT+CMGS=20", "AT+CMSS=1", 'AT+CUSD=1,"*100#"', "AT+CMGW=20"),
    "deletes": ("AT+CMGD=1,4", "AT+CMGD=?"),
    "texts": ("AT+CMGR=1", "AT+CMGL=4", "AT+CNUM"),
    "restarts": ("AT+CFUN=1,1", "AT+CFUN=0", "AT^RESET", "AT+CPOF"),
    "calls": ("ATD", "ATA", "ATH", "AT+CHUP"),
    "sets": ("AT+CNMI=2,1", "AT+CMGF=1", "ATE0", "ATZ", "ATQ1", "ATV0", "AT+CMEE=2"),
    "unknown": ("AT+REBOOT", "AT^TMODE"),
    "slow": ("AT+COPS=?",),
    "form": (
        "",
        "hello",
        "ATD+359888123456;",
        "AT+CSQ;+CMGD=1,4",
        "AT+CSQ\rAT+CMGD=1",
        "AT+CSQ\x1a",
        "AT&F",
        "+++",
        "AT+ЦСЯ",
        "AT" + "I" * 90,
    ),
}


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in REFUSED.items() for text in texts])
def test_what_could_do_harm_is_refused_with_its_reason(why: str, text: str) -> None:
    with pytest.raises(ConsoleRefused) as refused:
        console.command(text)
    assert refused.value.facts["why"] == why


@pytest.mark.parametrize("text", ["AT", "ATI", "ati3", "AT+CSQ", "at+creg?", "AT+CNMI?", "AT+CNMI=?", "AT^HCSQ"])
def test_what_reads_is_let_through(text: str) -> None:
    assert console.command(text).text == text.upper()


async def test_the_answer_comes_with_numbers_masked_and_no_notification_in_it(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        said = line('+CSCA: "+359888000001",145', '+CUSD: 0,"later"', "OK")
        bench.peer.on(r"AT\+CSCA\?", said)
        assert await bench.modem.say("AT+CSCA?") == '+CSCA: "+359880000001",145'
        with pytest.raises(ConsoleRefused):
            await bench.modem.say("AT+CMGD=1,4")
        assert not [command for command in bench.peer.heard if command.startswith("AT+CMGD=1,4")]


async def test_a_modem_that_is_not_there_says_so(tmp_path: Path) -> None:
    async with wired(tmp_path, start=False) as bench:
        with pytest.raises(NotNow):
            await bench.modem.say("AT")


async def test_the_transcript_is_masked_and_whole(tmp_path: Path) -> None:
    async with wired(tmp_path) as bench:
        bench.peer.on(r"AT\+CSCA\?", line('+CSCA: "+359888000001",145', "OK"))
        await bench.modem.say("AT+CSCA?")
        text = bench.modem.said_last()
        assert "> AT+CSCA?" in text
        assert "888000001" not in text
        assert text.splitlines()[-1].startswith("# end: ")


async def test_a_new_pin_is_kept_for_the_sim_and_wins_over_the_settings(tmp_path: Path) -> None:
    wrong = tmp_path / "pin"
    wrong.write_text("1111")
    async with wired(tmp_path, start=False, pin_file=wrong) as bench:
        bench.peer.on(r"AT\+CPIN\?", line("+CPIN: SIM PIN", "OK"))
        bench.peer.on(r"AT\+CPIN=.*", line("+CME ERROR: 16"))
        async with living(bench):
            await bench.state(State.QUARANTINED)
            with pytest.raises(NoPin):
                await bench.modem.new_pin("12a4")
            bench.peer.on(
                r'AT\+CPIN="2222"',
                lambda command: bench.peer.on(r"AT\+CPIN\?", line("+CPIN: READY", "OK")) or line("OK"),
            )
            await bench.modem.new_pin("2222")
            await bench.state(State.READY)
        kept = list((tmp_path / "pins").iterdir())
        assert [path.read_text() for path in kept] == ["2222"]
        assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]
        assert "2222" not in bench.modem.said_last()
