"""The settings every simulator has, and changing them while it runs."""

from dataclasses import asdict, dataclass, fields
from typing import Any

_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(slots=True)
class Settings:
    """What any vendor has. A vendor adds its own and may give these other defaults.

    limits: refuse calls beyond the vendor's rates; clock_skew_s: how far the vendor's
    clock is ahead of ours; hidden_records: "101,102", which no API user sees, live or
    deleted, as after a lost permission.
    """

    limits: bool = True
    clock_skew_s: float = 0.0
    access_token_ttl_s: float = 3600
    code_ttl_s: float = 600
    rotate_refresh_tokens: bool = False
    hidden_records: str = ""

    def hides(self, identifier: object) -> bool:
        """Tell whether the API does not show a record."""
        hidden = self.hidden_records
        return bool(hidden) and str(identifier) in hidden.split(",")

    def change(self, raw: dict[str, Any]) -> None:
        """Set the named values; raises ValueError before changing anything."""
        types = {field.name: field.type for field in fields(self)}
        unknown = set(raw) - set(types)
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        parsed = {name: _cast(types[name], value) for name, value in raw.items()}
        for name, value in parsed.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Return all values."""
        return asdict(self)


def _cast(kind: Any, value: Any) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else str(value).lower() in _TRUE
    return kind(value)
