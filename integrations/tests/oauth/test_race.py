"""Many workers and one token that rotates: on real threads, processes and kills."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty
from typing import Any

import pytest
from django.db import connections
from django_scopes import scopes_disabled

from integrations.connectors import oauth, session
from integrations.connectors.oauth import CRASHED, StoredToken
from integrations.connectors.session import open_connector
from integrations.errors import ReauthRequired, Retryable
from integrations.models import Connection
from integrations.simulators.testing import RunningSimulator, wait_until
from integrations.tests.oauth.tokens import (
    TOKEN_PATH,
    change,
    let_pass,
    reloaded,
    stored,
    token_calls,
)

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 50
PROCESSES = 8
LIFE_S = 2
RUN_S = float(os.environ.get("TOKEN_RACE_S", "12"))
_fork = multiprocessing.get_context("fork")


@pytest.fixture
def rotating(connected: Connection, simulator: RunningSimulator) -> Connection:
    """A connection at a vendor that takes each refresh token once."""
    simulator.reset()
    simulator.configure(limits=False, index_delay_s=0, rotate_refresh_tokens=True)
    return connected


def at_once(work: Callable[[], Any]) -> list[Any]:
    """Do the same in many threads, all starting at one moment."""
    start = threading.Barrier(WORKERS)

    def one(_: int) -> Any:
        start.wait()
        try:
            with scopes_disabled():
                return work()
        finally:
            session.close_all()
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(WORKERS)))


def test_fifty_calls_with_an_expired_token_renew_it_once(
    rotating: Connection, simulator: RunningSimulator
) -> None:
    let_pass(rotating, 1.0)
    simulator.set_fault("latency", path=TOKEN_PATH, seconds=0.3)

    given = at_once(lambda: StoredToken(rotating.pk)())

    assert set(given) == {stored(rotating).access}
    assert token_calls(simulator) == 1


def test_fifty_calls_refused_by_the_vendor_renew_the_token_once(
    rotating: Connection, simulator: RunningSimulator
) -> None:
    simulator.control("POST", "expire-tokens")
    simulator.set_fault("latency", path=TOKEN_PATH, seconds=0.3)

    owners = at_once(lambda: open_connector(rotating)[0].owners())

    assert all(owners)
    assert token_calls(simulator) == 1
    assert reloaded(rotating).status != Connection.Status.NEEDS_REAUTH


def test_processes_share_a_rotating_token_over_many_expiries(
    rotating: Connection, simulator: RunningSimulator
) -> None:
    simulator.configure(access_token_ttl_s=LIFE_S)
    let_pass(rotating, 1.0)
    failures: Any = _fork.Queue()
    used: Any = _fork.Queue()
    connections.close_all()
    until = time.time() + RUN_S
    workers = [
        _fork.Process(target=_use_until, args=(rotating.pk, until, used, failures))
        for _ in range(PROCESSES)
    ]

    for worker in workers:
        worker.start()
    counts = [used.get(timeout=RUN_S + 60) for _ in workers]
    for worker in workers:
        worker.join(timeout=60)

    expiries = stored(rotating).generation - 1
    assert _drained(failures) == []
    assert min(counts) > 0
    assert expiries > RUN_S / LIFE_S / 2
    assert abs(token_calls(simulator) - expiries) <= 1
    assert token_calls(simulator) <= RUN_S / (LIFE_S * oauth.RENEW_AFTER) + 2
    assert reloaded(rotating).status != Connection.Status.NEEDS_REAUTH


def _use_until(connection_id: int, until: float, used: Any, failures: Any) -> None:
    """Call the vendor with the stored token until the time is over."""
    session.close_all()
    calls = 0
    try:
        with scopes_disabled():
            connection = Connection.objects.get(pk=connection_id)
            while time.time() < until:
                open_connector(connection)[0].owners()
                calls += 1
                time.sleep(0.12)  # stays within our own budget of calls
    except Exception as error:
        failures.put(repr(error))
    used.put(calls)
    used.close()
    used.join_thread()


def _drained(queue: Any) -> list[str]:
    found = []
    try:
        while True:
            found.append(queue.get(timeout=0.1))
    except Empty:
        return found


def test_worker_killed_during_a_renewal_is_named_as_the_cause(
    rotating: Connection,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oauth, "LEASE_S", 1.0)
    monkeypatch.setattr(oauth, "REFUSAL_PAUSES_S", (0.0, 0.0))
    let_pass(rotating, 1.0)
    simulator.set_fault("hang_after_apply", path=TOKEN_PATH, seconds=5, count=1)
    connections.close_all()

    worker = _fork.Process(target=_use_once, args=(rotating.pk,))
    worker.start()
    wait_until(lambda: stored(rotating).refreshing_until is not None)
    wait_until(lambda: simulator.control("GET", "tokens")["refresh"] == 2)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(timeout=10)

    with scopes_disabled(), pytest.raises(ReauthRequired, match="cut off"):
        StoredToken(rotating.pk)()
    assert reloaded(rotating).status == Connection.Status.NEEDS_REAUTH
    assert reloaded(rotating).status_detail == CRASHED


def _use_once(connection_id: int) -> None:
    with scopes_disabled():
        StoredToken(connection_id)()


def test_workers_killed_outside_a_renewal_do_no_harm(
    rotating: Connection, simulator: RunningSimulator
) -> None:
    simulator.configure(access_token_ttl_s=LIFE_S)
    let_pass(rotating, 1.0)
    used: Any = _fork.Queue()

    for _ in range(10):
        connections.close_all()
        until = time.time() + 60
        worker = _fork.Process(
            target=_use_until, args=(rotating.pk, until, used, _fork.Queue())
        )
        before = _owner_calls(simulator)
        worker.start()
        wait_until(partial(_more_calls, simulator, before))
        _kill_between_renewals(rotating, worker)

    with scopes_disabled():
        assert StoredToken(rotating.pk)() == stored(rotating).access
    assert reloaded(rotating).status != Connection.Status.NEEDS_REAUTH


def _owner_calls(simulator: RunningSimulator) -> int:
    return sum("owners" in one["path"] for one in simulator.requests_since())


def _more_calls(simulator: RunningSimulator, before: int) -> bool:
    return _owner_calls(simulator) > before + 3


def _kill_between_renewals(connection: Connection, worker: Any) -> None:
    """Stop, look, and kill only when no renewal is under way."""
    while True:
        os.kill(worker.pid, signal.SIGSTOP)
        if stored(connection).refreshing_until is None:
            os.kill(worker.pid, signal.SIGKILL)
            worker.join(timeout=10)
            return
        os.kill(worker.pid, signal.SIGCONT)
        time.sleep(0.01)


def test_waiting_for_a_stuck_renewal_is_a_reason_to_come_back(
    rotating: Connection,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oauth, "WAIT_S", 0.3)
    let_pass(rotating, 1.0)
    simulator.set_fault("latency", path=TOKEN_PATH, seconds=1.5, count=1)

    given = at_once(_token_or_later(rotating.pk))

    assert given.count("later") == WORKERS - 1
    assert token_calls(simulator) == 1
    change(rotating, refused=0)
    assert reloaded(rotating).status != Connection.Status.NEEDS_REAUTH


def _token_or_later(connection_id: int) -> Callable[[], str]:
    def ask() -> str:
        try:
            return StoredToken(connection_id)()
        except Retryable:
            return "later"

    return ask
