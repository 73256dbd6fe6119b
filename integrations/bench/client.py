"""The floor of a batch push: HubSpot's own client, batches of 100, in threads.

`python -m integrations.bench.client CRM_URL THREADS SECONDS`. It has no budget of its
own: told to slow down, it waits a second and goes on.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

BATCH = 100
BACK_OFF_S = 1.0


def main() -> None:
    """Push contacts until the time is over."""
    url, threads, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    until = time.monotonic() + seconds
    workers = [
        threading.Thread(target=_push, args=(url, number, until))
        for number in range(threads)
    ]
    for one in workers:
        one.start()
    for one in workers:
        one.join()


def _push(url: str, worker: int, until: float) -> None:
    import hubspot
    from hubspot.crm.contacts import ApiException

    client: Any = hubspot.HubSpot(access_token="pat-demo-token")
    client.config["host"] = url
    batches = client.crm.contacts.batch_api
    number = worker * 10_000_000
    while time.monotonic() < until:
        people = [_person(number + place) for place in range(BATCH)]
        try:
            batches.upsert({"inputs": people})
        except ApiException as error:
            if error.status != 429:
                raise
            time.sleep(BACK_OFF_S)
        else:
            number += BATCH


def _person(number: int) -> dict[str, Any]:
    email = f"client{number}@example.com"
    properties = {"email": email, "firstname": "Person", "lastname": str(number)}
    return {"idProperty": "email", "id": email, "properties": properties}


if __name__ == "__main__":
    main()
