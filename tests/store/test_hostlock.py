"""Two daemons with one name on one database: the second refuses to start."""

import os
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import Engine

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
