"""Everything about the simulated HubSpot one may turn, with its default."""

from dataclasses import dataclass

from integrations.simulators import settings


@dataclass(slots=True)
class Settings(settings.Settings):
    """Changeable while running.

    Rates follow HubSpot's usage guidelines: 110 requests per 10 s and account for an
    OAuth app, 190 for a private app (Pro), search 5 per second and account. A search
    sees a write after a uniform random delay between index_delay_s and
    index_delay_max_s (the same as index_delay_s when smaller). marketing_hub: the
    accounts have Marketing Hub Professional, without which there are no campaigns.
    """

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
    merge_makes_new_id: bool = True
    marketing_hub: bool = True
    webhook_delay_s: float = 0.05
    webhook_retry_s: float = 1.0
    webhook_attempts: int = 10
    webhook_reorder: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_lose: float = 0.0
