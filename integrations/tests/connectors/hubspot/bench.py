"""HubSpot on the shared bench."""

import http.client
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from integrations.records import RemoteField, RemoteOption
from integrations.tests.connectors.benches import Bench, Rig


@dataclass(frozen=True)
class HubSpotBench(Bench):
    """Merges through the API of the vendor, which the connector does not call."""

    def merge(self, rig: Rig, primary: str, other: str) -> str | None:
        body = {"primaryObjectId": primary, "objectIdToMerge": other}
        connection = http.client.HTTPConnection(urlsplit(rig.simulator.base_url).netloc)
        path = f"/crm/v3/objects/{self.people}/merge"
        connection.request("POST", path, json.dumps(body), rig.simulator.headers)
        merged = json.loads(connection.getresponse().read())
        connection.close()
        return str(merged["id"])


_COLOURS = tuple(RemoteOption(one, one.title()) for one in ("red", "green", "blue"))

HUBSPOT_BENCH = HubSpotBench(
    vendor="hubspot",
    account_id="4100001",
    people="contacts",
    key="email",
    text="firstname",
    other_text="lastname",
    bad_key="not an address",
    activity="notes",
    activity_fields={"hs_timestamp": datetime(2026, 1, 2, tzinfo=UTC)},
    activity_text="hs_note_body",
    deals="deals",
    scan_page=100,
    spellings=(
        (RemoteField("seats", "Seats", "number"), ("10", "10.0", "1e1", " 10 ")),
        (RemoteField("partner", "Partner", "bool"), ("true", "TRUE")),
        (RemoteField("renewal", "Renewal", "date"), ("2026-02-28", "1772236800000")),
        (
            RemoteField("seen", "Seen", "datetime"),
            (
                "2026-01-02T03:04:05.678Z",
                "1767323045678",
                "2026-01-02T04:04:05.678+01:00",
            ),
        ),
        (
            RemoteField("colours", "Colours", "multi_enum", _COLOURS),
            ("red;blue", "blue;red", ";blue;red;"),
        ),
        (RemoteField("motto", "Motto", "text"), (" Größe ;zählt",)),
    ),
)
