"""Who calls, how often they may, and which scopes a call needs."""

from dataclasses import dataclass

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.definitions import ObjectType
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.world import World
from integrations.simulators.wire import Headers, Request


@dataclass(frozen=True, slots=True)
class Grant:
    """An accepted token. scopes: None = all of them."""

    portal: Portal
    kind: str
    scopes: frozenset[str] | None
    app_id: str

    @property
    def caller(self) -> str:
        """How the request log names the caller."""
        return f"{self.kind}:{self.portal.hub_id}"

    def require_any(self, scopes: list[str]) -> None:
        """Raise a 403 unless one of the scopes is granted."""
        if self.scopes is not None and self.scopes.isdisjoint(scopes):
            raise errors.missing_scopes(scopes)


def authenticate(world: World, request: Request) -> Grant:
    """Return the caller's grant; raises a 401 for a bad or expired token."""
    scheme, _, token = request.header("Authorization").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise errors.invalid_token()
    found = world.documents("private").get(token)
    if found is not None:
        return _grant(world, "private", found)
    found = world.documents("access").get(token)
    if found is None:
        raise errors.invalid_token()
    if found["expires_at"] <= world.now():
        raise errors.expired_token()
    return _grant(world, "oauth", found)


def _grant(world: World, kind: str, found: dict[str, object]) -> Grant:
    scopes = found["scopes"]
    return Grant(
        portal=world.portals[int(str(found["hub_id"]))],
        kind=kind,
        scopes=frozenset(scopes) if isinstance(scopes, list) else None,
        app_id=str(found.get("app_id", "private")),
    )


def spend(world: World, grant: Grant, *, search: bool) -> Headers:
    """Count a call against its limits; return the rate headers; raises a 429."""
    settings, hub = world.settings, grant.portal.hub_id
    if search:
        if settings.limits:
            _spend_search(world, f"search:{hub}")
        return []
    limit = settings.oauth_limit if grant.kind == "oauth" else settings.private_limit
    remaining = daily = 0
    key = f"{grant.kind}:{grant.app_id}:{hub}"
    if settings.limits:
        window_s, now = settings.window_ms / 1000, world.now()
        remaining = world.windows.take(key, limit=limit, window_s=window_s, now=now)
    else:
        remaining = limit
    headers = [
        ("X-HubSpot-RateLimit-Max", str(limit)),
        ("X-HubSpot-RateLimit-Remaining", str(max(remaining, 0))),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", str(settings.window_ms)),
    ]
    if remaining < 0:
        headers += _retry_after(world)
        raise errors.rate_limited("TEN_SECONDLY_ROLLING", headers)
    if grant.kind == "private":
        daily = _spend_daily(world, f"daily:{hub}")
        headers += [
            ("X-HubSpot-RateLimit-Daily", str(settings.daily_limit)),
            ("X-HubSpot-RateLimit-Daily-Remaining", str(max(daily, 0))),
        ]
        if daily < 0:
            raise errors.rate_limited("DAILY", headers)
    return headers


def _spend_search(world: World, key: str) -> None:
    limit = world.settings.search_limit
    if world.windows.take(key, limit=limit, window_s=1, now=world.now()) < 0:
        raise errors.rate_limited("SECONDLY", _retry_after(world))


def _spend_daily(world: World, key: str) -> int:
    limit = world.settings.daily_limit
    if not world.settings.limits:
        return limit
    return world.windows.take_daily(key, limit=limit, now=world.now())


def _retry_after(world: World) -> Headers:
    seconds = world.settings.retry_after_s
    return [("Retry-After", str(seconds))] if seconds else []


def object_scopes(kind: ObjectType, action: str) -> list[str]:
    """Return the scopes that allow reading or writing records of a type."""
    if kind.name == "tickets":
        return ["tickets"]
    scope = "custom" if kind.custom else kind.scope
    return [f"crm.objects.{scope}.{action}"]


def schema_scopes(kind: ObjectType, action: str) -> list[str]:
    """Return the scopes that allow reading or changing a type's definitions."""
    scope = "custom" if kind.custom else kind.scope
    scopes = [f"crm.schemas.{scope}.{action}"]
    return scopes if action == "write" else scopes + object_scopes(kind, action)
