"""What a new connection's mappings start from, as data.

PURE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Way = Literal["push", "pull", "both"]


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row that is made when the remote object has the field.

    direction: within what the object mapping allows; rule: who wins, in the words of
    `integrations.models.FieldMapping.Rule`; order: their values, the further one last.
    """

    source: str
    destination: str
    values: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    direction: Way = "both"
    rule: str = "latest"
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """One object mapping. match_field: what finds a record that is not linked yet.

    creates: whether records are made there, or only those that are there updated.
    """

    record_type: str
    remote_object: str
    rows: tuple[RowTemplate, ...]
    match_field: str = ""
    active: bool = True
    engaged_only: bool = False
    only_kinds: tuple[str, ...] = ()
    direction: Way = "push"
    creates: bool = True
