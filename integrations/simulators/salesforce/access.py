"""Who calls, and how many calls are left."""

from dataclasses import dataclass

from integrations.simulators.salesforce import errors
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Headers, Request

DAY_S = 86_400.0
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Grant:
    """An accepted session. client_id: the app's, or "session" for a fixed token."""

    org: Org
    user: str
    client_id: str
    token: str

    @property
    def caller(self) -> str:
        """How the request log names the caller."""
        return f"{self.client_id}:{self.org.pod}"


def authenticate(world: World, request: Request) -> Grant:
    """Return the caller's grant; raises a 401."""
    scheme, _, token = request.header("Authorization").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        raise errors.invalid_session()
    return session(world, token.strip())


def session(world: World, token: str) -> Grant:
    """Return the grant of a session id; raises a 401."""
    found = world.documents("fixed").get(token)
    if found is None:
        found = world.documents("access").get(token)
        if found is None or found["expires_at"] <= world.now():
            raise errors.invalid_session()
        # Activity keeps a session alive; not worth a line in the journal.
        found["expires_at"] = world.now() + world.settings.access_token_ttl_s
    org = world.orgs[found["org"]]
    return Grant(org, found["user"], str(found.get("client_id", "session")), token)


def spend(world: World, org: Org, *, running: int, calls: int = 1) -> Headers:
    """Count calls against the daily allowance; return the headers; raises a 403.

    running: how many long requests are under way.
    """
    settings = world.settings
    used = used_calls(world, org)
    if settings.limits and used + calls > settings.daily_limit:
        error = errors.limit_exceeded()
        error.headers = [limit_info(world, org)]
        raise error
    if settings.limits and running >= settings.concurrent_limit:
        raise errors.limit_exceeded("ConcurrentPerOrgLongTxn")
    for _ in range(calls):
        _take(world, org)
    return [limit_info(world, org)]


def _take(world: World, org: Org) -> None:
    world.windows.take(org.pod, limit=_NO_LIMIT, window_s=DAY_S, now=world.now())


def used_calls(world: World, org: Org) -> int:
    """Return how many calls the last 24 hours saw."""
    counted = world.windows.count(org.pod, window_s=DAY_S, now=world.now())
    base: int = org.documents("quota").get("", {}).get("used", 0)
    return base + counted


def limit_info(world: World, org: Org) -> tuple[str, str]:
    """Return the header that every REST answer carries."""
    used = used_calls(world, org)
    return "Sforce-Limit-Info", f"api-usage={used}/{world.settings.daily_limit}"
