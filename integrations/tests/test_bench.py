"""Each measure runs to its end at a very small size and prints its table."""

from __future__ import annotations

import os
from io import StringIO

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.bench

needs_postgres = pytest.mark.skipif(
    not os.environ.get("DATABASE_URL"), reason="compared on PostgreSQL only"
)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("merge", "P12"),
        pytest.param("push", "P8", marks=needs_postgres),
        pytest.param("pull", "P10", marks=needs_postgres),
        pytest.param("realtime", "P14", marks=needs_postgres),
    ],
)
def test_a_measure_prints_its_table(what: str, told: str) -> None:
    out = StringIO()

    call_command("bench", what, rounds=1, sizes=[200], stdout=out)

    lines = [line for line in out.getvalue().splitlines() if line.startswith("| ")]
    assert lines[0] == "| measure | measured | reach | |"
    assert any(told in line for line in lines)
