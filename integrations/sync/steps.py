"""Stages that only move forward in a CRM: what is put back there, and what is not."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.mapping.engine import Called
from integrations.models import ObjectMapping
from integrations.sync.cases import Case
from integrations.sync.terms import Terms


def cleared_first(
    fields: Mapping[str, str], there: Mapping[str, str], terms: Terms
) -> tuple[str, ...]:
    """Return the fields that the CRM takes only once they have been emptied.

    fields: what is sent; there: what the CRM has.
    """
    return tuple(
        name
        for name, text in fields.items()
        if (rule := terms.rules.get(name)) is not None
        and rule.steps
        and rule.is_back(terms.canon[name](text), there.get(name, ""))
    )


def refused(mapping: ObjectMapping, case: Case, terms: Terms) -> str:
    """Say which steps back are not made, "" where there are none."""
    return " ".join(
        _stays(mapping, terms.called[name], case.crm.get(name, ""), outcome.refused)
        for name, outcome in case.outcomes.items()
        if outcome.refused
    )


def _stays(mapping: ObjectMapping, words: Called, now: str, wanted: str) -> str:
    return (
        f'{words.theirs} stays at "{words.their_value(now)}" and does not become '
        f'"{words.their_value(wanted)}": it only moves forward in '
        f"{mapping.connection.name}, and the mapping does not allow the way back."
    )
