"""Everything about the simulated HubSpot one may turn, with its default."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(slots=True)
class Settings:
    """Changeable while running.

    Rates follow HubSpot's usage guidelines: 110 requests per 10 s and account for an
    OAuth app, 190 for a private app (Pro), search 5 per second and account. A search
    sees a write after a uniform random delay between index_delay_s and
    index_delay_max_s (the same as index_delay_s when smaller).
    """

    limits: bool = True
    oauth_limit: int = 110
    private_limit: int = 190
    window_ms: int = 10_000
    search_limit: int = 5
    daily_limit: int = 650_000
    retry_after_s: int = 0
    index_delay_s: float = 0.5
    index_delay_max_s: float = 0.0
    access_token_ttl_s: float = 1800
    code_ttl_s: float = 60
    rotate_refresh_tokens: bool = False
    clock_skew_s: float = 0.0
    merge_makes_new_id: bool = True
    webhook_delay_s: float = 0.05
    webhook_retry_s: float = 1.0
    webhook_attempts: int = 10
    webhook_reorder: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_lose: float = 0.0

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


_TRUE = frozenset({"1", "true", "yes", "on"})
