"""What happens in the simulated CRM itself: `python -m integrations.bench.edits WHAT`.

`make CRM_URL FIRST COUNT`: contacts that have been there for long; `change CRM_URL
COUNT TITLE`: somebody gives the first so many another job title.
"""

from __future__ import annotations

import json
import sys

from integrations.bench import people, rig
from integrations.bench.clients import CONTACTS, session
from integrations.bench.spent import measured

SEEDED = 1000
# Before what a poll reads again in any case.
LONG_AGO = "2026-01-01T00:00:00Z"


def main() -> None:
    """Do one of them."""
    what, url, *args = sys.argv[1:]
    work = {"make": _make, "change": _change}[what]
    with measured() as spent:
        spent.records = work(url, *args)


def _make(url: str, first: str, count: str) -> int:
    numbers = range(int(first), int(first) + int(count))
    for some in people.chunks(numbers, SEEDED):
        records = [
            {
                "object": "contacts",
                "properties": people.properties(one),
                "updatedAt": LONG_AGO,
            }
            for one in some
        ]
        rig.steer(url, "/__sim/seed", {"records": records})
    return len(numbers)


def _change(url: str, count: str, title: str) -> int:
    emails = [people.properties(n)["email"] for n in range(1, int(count) + 1)]
    for some in people.chunks(emails):
        inputs = [
            {"id": one, "idProperty": "email", "properties": {"jobtitle": title}}
            for one in some
        ]
        _post(url, {"inputs": inputs})
    return len(emails)


_line = session()


def _post(url: str, body: object) -> None:
    address, data = f"{url}{CONTACTS}/batch/upsert", json.dumps(body)
    answer = _line.post(address, data=data, timeout=60)
    if answer.status_code not in {200, 201}:
        raise RuntimeError(f"Answer {answer.status_code}: {answer.text[:300]}")


if __name__ == "__main__":
    main()
