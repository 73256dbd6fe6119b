"""Every webhook source, by the name endpoints store. A new one is a file and a line."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.webhooks.base import Source
from integrations.webhooks.sources.generic import Generic
from integrations.webhooks.sources.hubspot import HubSpot
from integrations.webhooks.sources.lgm import LaGrowthMachine
from integrations.webhooks.sources.salesforce import Salesforce

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (LaGrowthMachine(), Generic(), HubSpot(), Salesforce())
}
