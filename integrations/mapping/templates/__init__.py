"""The mappings a new connection of each vendor starts with.

PURE.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.mapping.templates import hubspot, salesforce
from integrations.mapping.templates.base import MappingTemplate

TEMPLATES: Mapping[str, tuple[MappingTemplate, ...]] = {
    "hubspot": hubspot.TEMPLATES,
    "salesforce": salesforce.TEMPLATES,
}
