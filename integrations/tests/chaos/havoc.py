"""What goes wrong: processes killed, messages lost, connections cut, bad days."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from integrations.simulators.testing import RunningSimulator
from integrations.tests.chaos.town import PROCESSES, Town

SHARE = 0.03
# Each for SHARE of the calls.
FAULTS: Sequence[Mapping[str, object]] = (
    {"kind": "429", "retry_after": "1"},
    {"kind": "500"},
    {"kind": "503"},
    {"kind": "drop"},
    {"kind": "drop_after_apply"},
    {"kind": "hang_after_apply", "seconds": 1.5},
    {"kind": "latency", "seconds": 1},
    {"kind": "partial_batch", "fraction": 0.3},
    {"kind": "empty_2xx"},
    {"kind": "missing_results"},
    {"kind": "reordered_results"},
    {"kind": "truncated_json"},
)
BLOWS = (*PROCESSES, "worker-sync", "broker's messages", "database connections")
# What a vendor promises is not broken: Salesforce answers in the order of the request,
# and says of what it made no more than an id.
KEPT = {"salesforce": {"reordered_results"}}
# Consent and accounts stay as they are: it is the records' calls that suffer.
RECORDS = {"hubspot": "^/crm/", "salesforce": "^/services/data/"}


def begin_faults(town: Town, rng: random.Random) -> None:
    """Let both vendors have a bad day."""
    for simulator in (town.hubspot, town.salesforce):
        for rule in FAULTS:
            kind = str(rule["kind"])
            if kind in KEPT.get(simulator.name, ()):
                continue
            rest = {name: value for name, value in rule.items() if name != "kind"}
            simulator.set_fault(
                kind,
                probability=SHARE,
                path=RECORDS[simulator.name],
                seed=rng.randrange(10**6),
                **rest,
            )


def end_faults(town: Town) -> Counter[str]:
    """End the bad days; return kind -> how often it happened."""
    fired: Counter[str] = Counter()
    for simulator in (town.hubspot, town.salesforce):
        fired.update(_fired(simulator))
        simulator.clear_faults()
    return fired


def _fired(simulator: RunningSimulator) -> dict[str, int]:
    rules = simulator.control("GET", "faults")["faults"]
    return {str(one["kind"]): int(one["fired"]) for one in rules}


def wreak(town: Town, rng: random.Random, blows: int) -> Counter[str]:
    """Strike that many times at random moments; return what was struck how often."""
    struck: Counter[str] = Counter()
    while struck.total() < blows:
        time.sleep(rng.uniform(0.3, 1.5))
        name = rng.choice(BLOWS)
        if name == "broker's messages":
            town.live.flush_broker()
        elif name == "database connections":
            if not _cut_connections(town):
                continue
        else:
            town.live.kill(name)
            town.live.start(name)
        struck[name] += 1
    return struck


def _cut_connections(town: Town) -> bool:
    """End every connection to the database, as its restart would; SQLite has none."""
    if not town.live.database.env:
        return False
    town.live.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return True
