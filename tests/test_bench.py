"""The figures of `modemd bench`: what they are made of, and one small run of the real thing."""

import json
import subprocess
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from modemd import bench
from modemd.bench import Case, Figures, Parts, Percentiles
from modemd.cli.bench import print_table
from modemd.sim.times import Times
from tests import forked

SMALL = ("--modems", "2", "--messages", "20", "--send-seconds", "0.02", "--questions", "2", "--burst", "3", "--json")


def test_a_gap_is_from_the_answer_to_the_next_part_of_the_same_modem() -> None:
    parts = [Parts([0.0, 2.5, 5.0], [2.0, 4.0, 6.0]), Parts([1.0, 3.0], [2.0, 4.0])]
    assert bench.gaps(parts) == [0.5, 1.0, 1.0]


def test_transmitting_counts_from_when_all_modems_have_begun_until_the_queue_runs_dry() -> None:
    busy = Parts([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
    late = Parts([1.0, 3.0, 5.0, 7.0, 9.0, 11.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
    assert bench.transmitting([busy], 1) == 1.0
    assert bench.transmitting([busy, late], 2) == pytest.approx((7 + 4) / 14)  # between 1 and 8


def test_a_modem_that_gets_nothing_counts_as_idle() -> None:
    busy = Parts([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
    assert bench.transmitting([busy], 2) == 0.5


def test_a_modem_that_gets_nothing_more_counts_as_idle() -> None:
    busy = Parts([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
    starved = Parts([0.0], [1.0])
    assert bench.transmitting([busy, starved], 2) < 0.75


def test_percentiles_are_times_that_occurred_in_milliseconds() -> None:
    assert bench.percentiles([0.003, 0.001, 0.002]) == Percentiles(2.0, 3.0)
    assert bench.percentiles([]) is None


def test_the_matrix_is_bounded_in_time() -> None:
    cases = bench.matrix(bench.MODEMS, bench.SEND_SECONDS, None, jitter=0.2)
    assert len(cases) == 12
    assert all(case.forecast < 120 for case in cases)


def test_no_more_is_sent_than_the_queue_holds() -> None:
    assert [case.messages for case in bench.matrix((8,), (0.0, 2.0), None, jitter=0.2, queue=50)] == [50, 50]


def test_times_are_kept_only_while_they_are_asked_for() -> None:
    clock = _Clock()
    times = Times(clock)
    times.handed_over("modem00", "+359881234567", 0.0)
    times.answered("modem00")
    assert times.measured()["modems"] == {}
    clock.time = 5.0
    times.begin()
    times.announced("+359881234567")
    assert times.unanswered == 1
    clock.time = 6.0
    times.handed_over("modem00", "+359881234567", 5.5)
    times.answered("modem00")
    assert times.measured() == {
        "modems": {"modem00": {"handed_over": [0.5], "answered": [1.0]}},
        "answers": [[0.0, 0.5]],
    }
    assert (times.unanswered, times.taken) == (0, 1)


@pytest.mark.long
def test_bench_gives_one_json_value_and_nothing_else_on_stdout() -> None:
    figures = _bench(*SMALL)
    assert figures["database"] == "sqlite"
    assert figures["messages_per_second"] > 1
    assert 0 < figures["transmitting"] <= 1
    assert figures["cpu_ms_per_message"] > 0
    assert figures["answer_idle_ms"]["p95"] >= figures["answer_idle_ms"]["p50"] > 0
    assert figures["answer_loaded_ms"]["p50"] > 0
    assert figures["burst"]["answered"] == figures["burst"]["questions"] == 6


@pytest.mark.long
def test_bench_with_a_long_queue_sends_what_it_is_told_and_leaves_the_rest() -> None:
    queues = ("--queue", "50", "--queue", "500")
    few, many = _bench("--modems", "2", "--messages", "50", "--send-seconds", "0", *queues, "--json")
    assert (few["case"]["queue"], many["case"]["queue"]) == (50, 500)
    assert few["answer_idle_ms"] is many["answer_idle_ms"] is None


@pytest.mark.long
def test_bench_with_several_hosts_shares_the_modems_out(postgresql_server: str) -> None:
    options = ("--messages", "20", "--send-seconds", "0.02", "--questions", "1", "--hosts", "1", "--hosts", "2")
    one, two = _bench("--modems", "3", *options, "--database", postgresql_server, "--json")
    assert (one["case"]["hosts"], two["case"]["hosts"]) == (1, 2)
    assert min(each["messages_per_second"] for each in (one, two)) > 1


def test_several_hosts_do_not_share_an_sqlite() -> None:
    result = _run("--modems", "2", "--hosts", "2")
    assert result.returncode == 2
    assert "PostgreSQL" in result.stderr


def test_a_table_in_a_file_is_cut_off_nowhere_and_has_no_column_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    queued = Case(64, 20_000, 0.1, 0.2, queue=1_000_000, hosts=3)
    pair = Percentiles(1234.5, 2345.6)
    print_table([Figures("postgresql", queued, 1726.1, 0.9912, pair, 0.325, None, None, pair, None, 92.3)])
    printed = capsys.readouterr().out
    (row,) = [line for line in printed.splitlines() if "postgresql" in line]
    told = ("1,000,000", "64 on 3 hosts", "0.1", "1,726.1", "99.12 %", "1,234.5 / 2,345.6", "0.325 ms", "92 MB")
    assert [word for word in told if word not in row] == []
    assert not {"burst", "idle", "–"} & set(printed.split())


@pytest.mark.long
def test_bench_leaves_a_server_as_it_was(postgresql_server: str) -> None:
    figures = _bench(*SMALL, "--database", postgresql_server)
    assert figures["database"] == "postgresql"
    engine = create_engine(postgresql_server)
    with engine.connect() as conn:
        schemas = conn.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench%'")).all()
    engine.dispose()
    assert schemas == []


def test_a_server_that_is_not_there_is_said_in_words() -> None:
    result = _run("--modems", "1", "--send-seconds", "0", "--database", "postgresql+psycopg://nobody@127.0.0.1:1/x")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


def _bench(*arguments: str) -> Any:
    result = _run(*arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run("bench", *arguments, timeout=100)


class _Clock:
    time = 0.0

    def seconds(self) -> float:
        return self.time
