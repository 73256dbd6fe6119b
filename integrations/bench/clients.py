"""What a push and a pull cost without us: `python -m integrations.bench.clients WHAT`.

`official-push`, `plain-push`, `official-pull`, `plain-pull`, then the CRM's address and
what each needs. Pushes send from memory and keep nothing; `plain-pull` writes each page
with one INSERT.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests

from integrations.bench import people
from integrations.bench.spent import Spent, measured

TOKEN = "pat-demo-token"
CONTACTS = "/crm/v3/objects/contacts"


def main() -> None:
    """Do one of them."""
    what, url, *args = sys.argv[1:]
    WORK[what](url, *args)


def session() -> requests.Session:
    """Return a session that is signed in."""
    made = requests.Session()
    made.trust_env = False
    made.headers.update(
        {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    )
    return made


def batches(first: str, count: str) -> list[dict[str, Any]]:
    """Return the bodies that upsert people, all of them in memory."""
    numbers = range(int(first), int(first) + int(count))
    inputs = [_input(people.properties(number)) for number in numbers]
    return [{"inputs": list(some)} for some in people.chunks(inputs)]


def _input(properties: dict[str, str]) -> dict[str, Any]:
    key = properties["email"]
    return {"idProperty": "email", "id": key, "properties": properties}


def _official() -> Any:
    import hubspot

    return hubspot.HubSpot(access_token=TOKEN)


def _official_push(url: str, first: str, count: str) -> None:
    client, bodies = _official(), batches(first, count)
    client.config["host"] = url
    api = client.crm.contacts.batch_api
    with measured() as spent:
        for body in bodies:
            spent.records += len(api.upsert(body).results)


def _plain_push(url: str, first: str, count: str) -> None:
    bodies, line = batches(first, count), session()
    with measured() as spent:
        for body in bodies:
            data = json.dumps(body)
            answer = line.post(f"{url}{CONTACTS}/batch/upsert", data=data, timeout=60)
            spent.records += len(answer.json()["results"])


def _official_pull(url: str) -> None:
    client = _official()
    client.config["host"] = url
    api = client.crm.contacts.basic_api
    names, after = list(people.FIELDS), None
    with measured() as spent:
        while True:
            page = api.get_page(limit=people.BATCH, properties=names, after=after)
            spent.records += len(page.results)
            if page.paging is None:
                return
            after = page.paging.next.after


def _plain_pull(url: str) -> None:
    import psycopg

    line = session()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS bench_page")
        columns = ", ".join(f"{name} text" for name in people.FIELDS)
        database.execute(f"CREATE TABLE bench_page (id bigint PRIMARY KEY, {columns})")
        with measured() as spent:
            for page in _pages(line, url):
                _insert(database, page, spent)


def _pages(line: requests.Session, url: str) -> Iterator[list[Mapping[str, Any]]]:
    query = {"limit": str(people.BATCH), "properties": ",".join(people.FIELDS)}
    while True:
        body = line.get(url + CONTACTS, params=query, timeout=60).json()
        yield body["results"]
        if "paging" not in body:
            return
        query["after"] = body["paging"]["next"]["after"]


def _insert(database: Any, page: list[Mapping[str, Any]], spent: Spent) -> None:
    row = "(" + ", ".join(["%s"] * (1 + len(people.FIELDS))) + ")"
    values = [
        value
        for one in page
        for value in (one["id"], *map(one["properties"].get, people.FIELDS))
    ]
    rows = ", ".join([row] * len(page))
    sql = f"INSERT INTO bench_page VALUES {rows}"  # noqa: S608 - only placeholders
    database.execute(sql, values)
    spent.records += len(page)


WORK: Mapping[str, Callable[..., None]] = {
    "official-push": _official_push,
    "plain-push": _plain_push,
    "official-pull": _official_pull,
    "plain-pull": _plain_pull,
}

if __name__ == "__main__":
    main()
