"""Everything about the simulated Salesforce one may turn, with its default."""

from dataclasses import dataclass

from integrations.simulators import settings


@dataclass(slots=True)
class Settings(settings.Settings):
    """Changeable while running.

    limits: count calls against daily_limit and refuse beyond it. A query sees a write
    after a uniform random delay between visibility_delay_s and visibility_delay_max_s
    (the same as visibility_delay_s when smaller); reading by id sees it at once.
    auto_assign: an assignment rule gives written leads to auto_assign_owner unless
    `Sforce-Auto-Assign: FALSE` is sent; auto_assign_updates: on updates too.
    hidden_fields, readonly_fields: "Lead.Rating,Contact.Birthdate", for every API user.
    """

    daily_limit: int = 100_000
    concurrent_limit: int = 25
    long_request_s: float = 20.0
    access_token_ttl_s: float = 7200
    code_ttl_s: float = 900
    max_approvals: int = 5
    visibility_delay_s: float = 0.0
    visibility_delay_max_s: float = 0.0
    auto_assign: bool = True
    auto_assign_updates: bool = True
    auto_assign_owner: str = "elena.ortiz@example.com"
    api_fields_hidden: bool = True
    hidden_fields: str = ""
    readonly_fields: str = ""
    lowercase_emails: bool = True
    convert_copies_custom: bool = False
    convert_limit: int = 200
    query_cursor_ttl_s: float = 900
    page_size_cap: int = 2000
    shuffle_unordered: bool = True
    bulk_delay_s: float = 0.0
    event_delay_s: float = 0.05
    event_retry_s: float = 1.0
    event_attempts: int = 10
    event_reorder: float = 0.0
    event_duplicate: float = 0.0
    event_lose: float = 0.0
    event_merge: bool = True
    event_single_id: bool = False
    own_echoes: bool = True
