"""How fast webhooks are answered, beside a bare Django view that stores one row."""

from __future__ import annotations

from statistics import median

from crmsync.platform.programs import WEB_OPTIONS
from integrations.bench import load, rig
from integrations.bench.report import Figure, spread
from integrations.bench.rig import WORKERS, LiveSystem

CLIENTS = 32
CREATE_ROWS = (
    "CREATE TABLE bare_row (id {serial} PRIMARY KEY, body {bytes} NOT NULL,"
    " received_at {time} NOT NULL)"
)


def run(*, rounds: int, requests: int, seconds: float) -> list[Figure]:
    """Measure P4 and P5. rounds: pairs of runs; requests: posts in each."""
    with rig.system("broker", "simulator", "web") as live:
        rig.steer(live.simulator_url, "/__sim/config", {"limits": False})
        live.manage("connect", "hubspot", "--workspace", "live")
        ratios, ours = _against_floor(live, rounds=rounds, requests=requests)
        capacity = median(ours)
        alone = _answers_at_half(live, capacity, seconds, start=10_000_000)
        live.start(*WORKERS, "beat")
        pairs = [
            _well_and_slow(live, capacity, seconds, start=(turn + 2) * 10_000_000)
            for turn in range(rounds)
        ]
    changes = [slow / well for well, slow in pairs]
    return [
        Figure("webhooks answered a second, 32 clients", spread(ours, 0)),
        Figure(
            "P4: ours / bare one-INSERT Django view",
            spread(ratios),
            ">= 0.8",
            median(ratios) >= 0.8,
        ),
        Figure(
            "P5: answer p99 at half capacity",
            f"{alone:.1f} ms",
            "<= 50 ms",
            alone <= 50,
        ),
        Figure(
            "P5: p99 while the CRM hangs / while it is well, workers busy",
            spread(changes),
            "<= 1.2",
            median(changes) <= 1.2,
        ),
        Figure(
            "p99 while it is well, workers busy",
            f"{spread([well for well, _ in pairs], 0)} ms",
        ),
    ]


def _well_and_slow(
    live: LiveSystem, capacity: float, seconds: float, *, start: int
) -> tuple[float, float]:
    """Return the p99 while the CRM is well and while it hangs, one after the other.

    Each begins with nothing left to do, or the second would be measured beside what
    the workers still had of the first.
    """
    _drain(live)
    well = _answers_at_half(live, capacity, seconds, start=start)
    _drain(live)
    hang = {"kind": "latency", "seconds": 5, "probability": 1}
    rig.steer(live.simulator_url, "/__sim/faults", hang)
    slow = _answers_at_half(live, capacity, seconds, start=start + 5_000_000)
    rig.forget_faults(live.simulator_url)
    return well, slow


def _drain(live: LiveSystem) -> None:
    def idle() -> bool:
        return live.count("core_workitem", "state IN ('ready', 'leased')") == 0

    rig.until(idle, timeout_s=600, every_s=0.5)


def _against_floor(
    live: LiveSystem, *, rounds: int, requests: int
) -> tuple[list[float], list[float]]:
    """Take turns: floor, ours, floor, ours; return the ratios and our rates."""
    _make_table(live)
    port = rig.any_free()
    command = ["uvicorn", "integrations.bench.bare:application", f"--port={port}"]
    ratios, ours = [], []
    url = f"http://{rig.LOOPBACK}:{port}/take/"
    database = live.database.env.get("DATABASE_URL")
    database = database or f"sqlite:///{live.folder}/crmsync.sqlite3"
    env = {**live.env, "DATABASE_URL": database}
    with rig.floor([*command, *WEB_OPTIONS], port, env):
        for turn in range(-1, rounds):
            numbers = range((turn + 2) * requests, (turn + 3) * requests)
            bare = load.closed_loop(url, rig.bodies(numbers), clients=CLIENTS)
            mine = load.closed_loop(
                rig.webhook_url(live), rig.bodies(numbers), clients=CLIENTS
            )
            _only(bare, 202)
            _only(mine, 202)
            if turn >= 0:  # the first pair warms up
                ratios.append(mine.rate / bare.rate)
                ours.append(mine.rate)
    return ratios, ours


def _make_table(live: LiveSystem) -> None:
    postgres = bool(live.database.env)
    live.sql(
        CREATE_ROWS.format(
            serial="bigserial" if postgres else "integer",
            bytes="bytea" if postgres else "blob",
            time="timestamptz" if postgres else "text",
        )
    )


def _answers_at_half(
    live: LiveSystem, capacity: float, seconds: float, *, start: int
) -> float:
    """Return the p99 in milliseconds at half of a rate."""
    got = load.at_rate(
        rig.webhook_url(live),
        lambda number: rig.bodies(range(start + number, start + number + 1))[0],
        per_s=capacity / 2,
        seconds=seconds,
    )
    _only(got, 202)
    return got.percentile_ms(0.99)


def _only(got: load.Load, status: int) -> None:
    if set(got.statuses) != {status}:
        raise RuntimeError(f"Answers other than {status}: {got.statuses}")
