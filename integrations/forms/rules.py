"""The words of directions, rules and policies, with the CRM's own name in them.

PURE.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.models import FieldMapping, ObjectMapping

Options = list[tuple[str, str]]
Rule, First, Way = FieldMapping.Rule, FieldMapping.First, FieldMapping.Direction
# Rules that need an order of values, and those that may fall back on a tie-break.
ORDERED = frozenset({Rule.RESTRICTIVE, Rule.FORWARD})
TIED = frozenset({Rule.LATEST, *ORDERED})

RULES: Mapping[str, str] = {
    Rule.LATEST: "Most recent wins",
    Rule.CRM: "{there} wins",
    Rule.HUB: "crmsync wins",
    Rule.BLANK: "Fill only if empty",
    Rule.ASK: "Ask me",
    Rule.FORWARD: "Only forward",
    Rule.RESTRICTIVE: "Most restrictive wins",
    Rule.UNION: "Keep the choices of both",
}
# The same where only ours is sent: a rule decides by what is there, or not at all.
RULES_OUT: Mapping[str, str] = {
    Rule.LATEST: "Send ours",
    Rule.BLANK: RULES[Rule.BLANK],
    Rule.FORWARD: RULES[Rule.FORWARD],
    Rule.RESTRICTIVE: RULES[Rule.RESTRICTIVE],
}
FIRSTS: Mapping[str, str] = {
    First.FILL: "Fill blanks, keep what differs",
    First.CRM: "Take {there}’s value",
    First.HUB: "Send our value",
}
WAYS: Mapping[str, str] = {
    Way.PUSH: "Only to {there}",
    Way.BOTH: "Both ways",
    Way.PULL: "Only from {there}",
}
TIES: Mapping[str, str] = {"crm": "{there} wins", "hub": "crmsync wins"}
MODES: Mapping[str, str] = {
    ObjectMapping.Mode.REALTIME: "At once",
    ObjectMapping.Mode.BATCH: "In batches",
    ObjectMapping.Mode.MANUAL: "When asked",
}
DELETES: Mapping[str, str] = {
    ObjectMapping.Deletes.UNLINK: "Unlink the two and say so",
    ObjectMapping.Deletes.PROPAGATE: "Delete it on the other side, after 7 days",
    ObjectMapping.Deletes.RECREATE: "Make it again",
    ObjectMapping.Deletes.IGNORE: "Do nothing",
}
PULLS: Mapping[int, str] = {
    30: "every 30 seconds",
    60: "every minute",
    300: "every 5 minutes",
    900: "every 15 minutes",
    3600: "every hour",
    21_600: "every 6 hours",
    86_400: "once a day",
}
# How far each poll reads back, for records that become visible after their time.
OVERLAPS: Mapping[int, str] = {
    0: "not at all",
    60: "a minute",
    600: "10 minutes",
    3600: "an hour",
    21_600: "6 hours",
    86_400: "a day",
}
SWEEPS: Mapping[int, str] = {
    0: "only when asked",
    6: "every 6 hours",
    24: "once a day",
    168: "once a week",
}


def named(words: Mapping[str, str], there: str) -> Options:
    """Return choices with the CRM's name put in.

    >>> named({"crm": "{there} wins"}, "HubSpot")
    [('crm', 'HubSpot wins')]
    """
    return [(value, text.format(there=there)) for value, text in words.items()]


def rules_for(type_there: str, stored: str, there: str, *, way: str) -> Options:
    """Return the rules a field of this type can have; a stored one always stays."""
    if way == Way.PUSH:
        known = dict(RULES_OUT)
        if stored in RULES:
            known.setdefault(stored, RULES[stored])
        return named(known, there)
    fits = type_there == "multi_enum"
    return [
        (value, text)
        for value, text in named(RULES, there)
        if value != Rule.UNION or fits or stored == value
    ]


def spans(words: Mapping[int, str], stored: int, unit: str) -> Options:
    """Return time spans to choose among, with the stored one among them.

    >>> spans({60: "every minute"}, 45, "seconds")
    [('45', 'every 45 seconds'), ('60', 'every minute')]
    """
    known = dict(words)
    known.setdefault(stored, f"every {stored} {unit}")
    return [(str(value), known[value]) for value in sorted(known)]
