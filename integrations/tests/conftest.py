"""Options of the tests that play random or many cases: how many, and which seed.

bin/test integrations/tests/sync/test_schedules.py --scale 10 --replay-seed 4711
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

_SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; without them a run takes minutes, each time with a new seed."""
    group = parser.getgroup("crmsync")
    group.addoption(
        "--scale",
        type=float,
        default=1.0,
        help="how many times the usual number of records, edits or kills",
    )
    group.addoption(
        "--replay-seed",
        type=int,
        default=None,
        help="the seed that a failing run printed",
    )


@pytest.fixture
def scaled(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """A function from the usual size of something to the size asked for."""
    factor: float = request.config.getoption("--scale")
    return lambda usual: max(1, round(usual * factor))


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run, which stands above it."""
    return request.config.stash[_SEED]


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of this run."""
    given: int | None = config.getoption("--replay-seed")
    chosen = random.SystemRandom().randrange(10**6) if given is None else given
    config.stash[_SEED] = chosen


def pytest_report_header(config: pytest.Config) -> str:
    """Show how this run is played again."""
    return f"schedules: replay with --replay-seed {config.stash[_SEED]}"
