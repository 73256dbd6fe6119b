"""What people call a mapping's fields and values, for sentences they read.

A name that is stored is read when it is told and not before: few records tell one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

from crmsync.core.models import Workspace
from integrations.mapping.engine import Called
from integrations.models import ObjectMapping
from integrations.records import RemoteField
from leads.naming import choices_of, stage_names
from leads.snapshots import FieldInfo

# How long names are told as they were read: a comparison of everything may tell one of
# each record.
_FRESH_S = 30.0


def called(
    mapping: ObjectMapping, info: FieldInfo | None, field: RemoteField
) -> Called:
    """Return what a row's fields are called. info: of our field, None where unknown."""
    options = {one.value: one.label for one in field.options}
    same = field.label.casefold() in {"", field.name.casefold()}
    return Called(
        ours=info.label if info else "",
        theirs=field.name if same else f"{field.label} ({field.name})",
        our_value=_ours(mapping, info.name if info else ""),
        their_value=partial(_named, options),
        crm=mapping.connection.name,
    )


def _ours(mapping: ObjectMapping, name: str) -> Callable[[object], str]:
    if name == "stage_id":
        return _Stages(mapping.workspace)
    return partial(_named, choices_of(mapping.record_type, name))


def _named(names: Mapping[str, str], value: object) -> str:
    return names.get(str(value)) or str(value)


class _Stages:
    """Names the stages of a workspace, read at once when one of them is told."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._names: Mapping[str, str] = {}
        self._until = 0.0

    def __call__(self, value: object) -> str:
        if time.monotonic() > self._until:
            self._names = stage_names(self._workspace)
            self._until = time.monotonic() + _FRESH_S
        return _named(self._names, value)
