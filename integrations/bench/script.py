"""The floor of replies: a plain Flask script that calls the CRM while the sender waits.

`python -m integrations.bench.script PORT CRM_URL`. Nothing is durable: what fails is
lost, and two replies of one person at once make two deals.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import requests

HEADERS = {"Authorization": "Bearer pat-demo-token"}
_local = threading.local()


class Crm:
    """The calls the script makes, one record at a time."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        """Make one call on this thread's kept connection."""
        if not hasattr(_local, "session"):
            _local.session = requests.Session()
        answer = _local.session.request(
            method, self.url + path, json=body, headers=HEADERS, timeout=20
        )
        answer.raise_for_status()
        return answer.json()

    def find(self, kind: str, field: str, value: str) -> str | None:
        """Search for a record; return its id."""
        filters = [{"propertyName": field, "operator": "EQ", "value": value}]
        body = {"filterGroups": [{"filters": filters}], "limit": 1}
        found = self.call(f"/crm/v3/objects/{kind}/search", body)["results"]
        return str(found[0]["id"]) if found else None

    def create(
        self, kind: str, properties: dict[str, str], ties: dict[int, str]
    ) -> str:
        """Create a record tied to others. ties: association type -> id."""
        associations = [
            {
                "to": {"id": to},
                "types": [
                    {
                        "associationCategory": "HUBSPOT_DEFINED",
                        "associationTypeId": number,
                    }
                ],
            }
            for number, to in ties.items()
        ]
        body = {"properties": properties, "associations": associations}
        return str(self.call(f"/crm/v3/objects/{kind}", body)["id"])


def handle(crm: Crm, payload: dict[str, Any]) -> None:
    """Contact found or made, deal found or made, note: five calls."""
    lead = payload["lead"]
    person = {
        "email": lead["proEmail"],
        "firstname": lead["firstName"],
        "lastname": lead["lastName"],
    }
    contact = crm.find("contacts", "email", person["email"])
    if contact:
        crm.call(f"/crm/v3/objects/contacts/{contact}", {"properties": person}, "PATCH")
    else:
        contact = crm.create("contacts", person, {})
    name = f"{person['firstname']} {person['lastname']}"
    deal = crm.find("deals", "dealname", name) or crm.create(
        "deals",
        {"dealname": name, "pipeline": "default", "dealstage": "appointmentscheduled"},
        {3: contact},
    )
    note = {
        "hs_note_body": payload["messageBody"],
        "hs_timestamp": str(payload["createdAt"]),
    }
    crm.create("notes", note, {202: contact, 214: deal})


def main() -> None:
    """Serve until stopped."""
    import logging

    from flask import Flask, request

    port, crm = int(sys.argv[1]), Crm(sys.argv[2])
    app = Flask(__name__)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    @app.post("/reply")
    def reply() -> tuple[str, int]:
        handle(crm, request.get_json())
        return "", 200

    app.run("127.0.0.1", port, threaded=True)


if __name__ == "__main__":
    main()
