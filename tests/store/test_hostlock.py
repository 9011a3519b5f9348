"""Two daemons with one name on one database: the second refuses to start."""

import os
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import Engine, text

from modemd.errors import HostNameTaken
from modemd.store.hostlock import HostLock

HOLDER = """
    import sys
    from modemd.store import database
    from modemd.store.hostlock import HostLock
    lock = HostLock(database.connect(sys.argv[1]), "gsm-host-1")
    lock.acquire()
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_name_is_one_daemon_s_until_it_is_released(engine: Engine) -> None:
    first, second = HostLock(engine, "gsm-host-1"), HostLock(engine, "gsm-host-1")
    first.acquire()
    with pytest.raises(HostNameTaken, match=r"gsm-host-1 already runs on this database \(process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_other_names_do_not_disturb_each_other(engine: Engine) -> None:
    locks = [HostLock(engine, "gsm-host-1"), HostLock(engine, "gsm/host:2"), HostLock(engine, "gsm-host-3")]
    for lock in locks:
        lock.acquire()
    for lock in locks:
        lock.release()


def test_the_lock_dies_with_its_process_and_names_it(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=os.getcwd()) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        lock = HostLock(engine, "gsm-host-1")
        with pytest.raises(HostNameTaken) as raised:
            lock.acquire()
        if engine.dialect.name == "sqlite":
            assert f"process {holder.pid}" in str(raised.value)
        holder.kill()
    _acquire_soon(lock)
    lock.release()


def _acquire_soon(lock: HostLock) -> None:
    """PostgreSQL notices a killed client when it next reads from it: at once, but not at the same instant."""
    for _ in range(1000):
        try:
            lock.acquire()
        except HostNameTaken:
            continue
        return
    raise AssertionError("the lock outlived its process")


def lose_session(lock: HostLock) -> None:
    """As when the server restarts."""
    assert lock._conn is not None
    with lock._engine.connect() as conn:
        pid = lock._conn.scalar(text("SELECT pg_backend_pid()"))
        conn.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_name_whose_session_was_lost_is_taken_again(engine: Engine) -> None:
    first, second = HostLock(engine, "gsm-host-1"), HostLock(engine, "gsm-host-1")
    first.acquire()
    session = first._conn
    first.keep()
    assert first._conn is session  # it was not let go of for a moment
    lose_session(first)
    first.keep()
    with pytest.raises(HostNameTaken):
        second.acquire()
    first.release()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_name_that_another_took_meanwhile_is_gone(engine: Engine) -> None:
    first, second = HostLock(engine, "gsm-host-1"), HostLock(engine, "gsm-host-1")
    first.acquire()
    lose_session(first)
    second.acquire()
    with pytest.raises(HostNameTaken):
        first.keep()
    first.release()
    second.release()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_lock_of_a_file_needs_no_care(engine: Engine) -> None:
    lock = HostLock(engine, "gsm-host-1")
    lock.acquire()
    lock.keep()
    lock.release()
