"""Every address of the product, and what the numbers in it are ids of.

A route whose parameter is not explained here makes the walk fail, so that a new page
cannot forget whose rows it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\{(\w+)\}|\(\?P<(\w+)>[^)]*\)")
# The segment before an id -> what it is the id of, as `testing.furnish` calls it.
OWNER = {
    "activities": "activity",
    "api-keys": "apikey",
    "campaign-members": "campaignmember",
    "campaigns": "campaign",
    "companies": "company",
    "conflicts": "conflict",
    "connections": "connection",
    "custom-fields": "customfield",
    "deals": "deal",
    "deliveries": "delivery",
    "endpoints": "endpoint",
    "entries": "syncentry",
    "errors": "workitem",
    "fields": "customfield",
    "kept-apart": "keptapart",
    "leads": "lead",
    "links": "link",
    "mappings": "objectmapping",
    "merges": "merge",
    "members": "membership",
    "people": "membership",
    "pipelines": "pipeline",
    "rows": "workitem",
    "runs": "run",
    "tasks": "activity",
}
IDS = frozenset({"pk", "id", "object_id"})
# Parameters that name no row.
WORDS = {
    "vendor": "hubspot",
    "app_label": "leads",
    "url": "nothing",
    "remote_id": "a-form",
}
# Not of any workspace: sign-in, and links in letters that carry their own secret.
PUBLIC = ("accounts/", "admin/r/", "admin/auth/", "admin/account/", "admin/(?P")


class Unexplained(AssertionError):
    """A route has a parameter that nobody said the meaning of."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address pattern; owner is what its id belongs to, "" without one."""

    text: str
    owner: str

    def path(self, ids: Mapping[str, int]) -> str:
        """Return the address of what `ids` owns."""

        def value(found: re.Match[str]) -> str:
            name = next(filter(None, found.groups()))
            return str(ids[self.owner]) if name in IDS else WORDS[name]

        return "/" + PARAMETER.sub(value, self.text).lstrip("/")


def explained(text: str) -> Route:
    """Return the route of a pattern's text. Raises Unexplained."""
    owner = ""
    for found in PARAMETER.finditer(text):
        name = next(filter(None, found.groups()))
        if name in IDS:
            owner = _owner(text[: found.start()])
        elif name not in WORDS:
            raise Unexplained(f"{text}: say in {__name__} what {name} is.")
    return Route(text, owner)


def _owner(before: str) -> str:
    parts = [part for part in before.split("/") if part]
    if parts[:1] == ["admin"] and len(parts) == 3:
        return parts[2]
    if parts and parts[-1] in OWNER:
        return OWNER[parts[-1]]
    raise Unexplained(f"{before}: say in {__name__} what the id after it belongs to.")


def all_routes() -> list[Route]:
    """Return every route of the product that is about a workspace."""
    texts = _texts(get_resolver().url_patterns, "")
    return [explained(text) for text in texts if not text.startswith(PUBLIC)]


def _texts(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for one in patterns:
        text = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _texts(one.url_patterns, text)
        else:
            yield re.sub(r"[\^$]", "", text)
