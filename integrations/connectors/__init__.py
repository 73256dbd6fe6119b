"""The vendors we speak to. A new one is a folder and one line in CONNECTORS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from integrations.connectors.base import Connector
from integrations.connectors.http import HttpClient, ParseError
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.errors import parse_error as hubspot_error
from integrations.connectors.hubspot.spec import REQUEST_ID_HEADERS as HUBSPOT_IDS
from integrations.connectors.hubspot.spec import SPEC as HUBSPOT
from integrations.connectors.salesforce.connector import SalesforceConnector
from integrations.connectors.salesforce.errors import parse_error as salesforce_error
from integrations.connectors.salesforce.spec import (
    REQUEST_ID_HEADERS as SALESFORCE_IDS,
)
from integrations.connectors.salesforce.spec import SPEC as SALESFORCE
from integrations.connectors.spec import VendorSpec


@dataclass(frozen=True, slots=True)
class Entry:
    """What the rest of the house needs to make a connector of one vendor.

    `parse_error` and `request_id_headers` go into the HttpClient, `make` around it.
    """

    spec: VendorSpec
    parse_error: ParseError
    request_id_headers: tuple[str, ...]
    make: Callable[[HttpClient], Connector]


CONNECTORS: Mapping[str, Entry] = {
    "hubspot": Entry(HUBSPOT, hubspot_error, HUBSPOT_IDS, HubSpotConnector),
    "salesforce": Entry(
        SALESFORCE, salesforce_error, SALESFORCE_IDS, SalesforceConnector
    ),
}
