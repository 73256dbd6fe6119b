"""A thousand replies while workers are killed: each arrives once, whole."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from integrations.bench import rig
from integrations.tests.live import WORKERS, LiveSystem, lgm_reply

REPLIES = int(os.environ.get("CHAOS_REPLIES", "1000"))
SENDERS = 16
KILLS = 5
SEED = int(os.environ.get("CHAOS_SEED", str(random.SystemRandom().randrange(10**6))))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


def send(live: LiveSystem, numbers: range) -> Counter[int]:
    """Post replies from several senders; return status -> how many."""

    def one(number: int) -> int:
        return live.post("lgm", lgm_reply(number)).status

    with ThreadPoolExecutor(SENDERS) as pool:
        return Counter(pool.map(one, numbers))


def kill_now_and_then(live: LiveSystem, rng: random.Random) -> int:
    """Kill a worker at random moments, start it again; return how often."""
    kills = 0
    while kills < KILLS:
        time.sleep(rng.uniform(0.2, 1.2))
        name = rng.choice(WORKERS)
        live.kill(name)
        live.start(name)
        kills += 1
    return kills


def waiting(live: LiveSystem) -> int:
    """Return how many work items are not done."""
    return live.count("core_workitem", "state <> 'done'")


def bodies_of(notes: list[dict[str, Any]]) -> Counter[str]:
    return Counter(
        note["properties"]["hs_note_body"].split("<br>")[0] for note in notes
    )


def test_replies_survive_workers_that_are_killed(tmp_path: Path) -> None:
    # A failing run prints its log of arguments; the seed is among them.
    rng = random.Random(SEED)
    env = {"CRM_TOKEN": rig.TOKEN, "WORK_LEASE_S": "8"}
    with LiveSystem(tmp_path, env=env) as live:
        live.start("broker", "simulator", "web", *WORKERS, "beat")
        rig.steer(live.simulator_url, "/__sim/config", {"limits": False})
        live.manage("connect", "hubspot", "--workspace", "live")

        # The killing is done here: a process ends with the thread that started it.
        with ThreadPoolExecutor(1) as background:
            sent = background.submit(send, live, range(1, REPLIES + 1))
            kills = kill_now_and_then(live, rng)
            statuses = sent.result()
        live.wait_until(
            lambda: not waiting(live), timeout_s=300, what="the queue's end"
        )

        assert statuses == {202: REPLIES}
        assert kills == KILLS
        assert live.count("integrations_delivery") == REPLIES
        contacts = rig.steer(live.simulator_url, "/__sim/dump?object=contacts")
        deals = rig.steer(live.simulator_url, "/__sim/dump?object=deals")
        notes = rig.steer(live.simulator_url, "/__sim/dump?object=notes")
        wanted = {f"Reply number {number}": 1 for number in range(1, REPLIES + 1)}
        assert bodies_of(_records(notes)) == wanted
        assert len(_records(contacts)) == len(_records(deals)) == REPLIES
        emails = Counter(one["properties"]["email"] for one in _records(contacts))
        assert max(emails.values()) == 1
        assert live.count("leads_activity") == REPLIES


def _records(dump: Any) -> list[dict[str, Any]]:
    return list(dump["contacts"] if "contacts" in dump else next(iter(dump.values())))
