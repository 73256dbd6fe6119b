"""What a new connection's mappings start from, as data.

PURE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row that is made when the remote object has the field."""

    source: str
    destination: str
    values: Mapping[str, str] = field(default_factory=dict)
    default: str = ""


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """One object mapping. match_field: what finds a record that is not linked yet."""

    record_type: str
    remote_object: str
    rows: tuple[RowTemplate, ...]
    match_field: str = ""
    active: bool = True
    engaged_only: bool = False
    only_kinds: tuple[str, ...] = ()
