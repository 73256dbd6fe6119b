"""OAuth: access and refresh tokens, introspection and revocation."""

import hmac
import secrets
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.world import DEMO_USER, AppConfig, World
from integrations.simulators.oauth import take_code, verifies
from integrations.simulators.wire import Json, Reply, Request, json_reply

# Vendors' access tokens grow without notice; ours are long on purpose.
ACCESS_TOKEN_BYTES = 180


def token(world: World, request: Request, version: str) -> Reply:
    """POST /oauth/{version}/token: exchange a code or refresh."""
    form = request.form()
    app = _client(world, form)
    grant_type = form.get("grant_type", "")
    if grant_type == "authorization_code":
        granted = _redeem_code(world, app, form)
        refresh = _new_refresh(world, app, granted, family=secrets.token_hex(8))
    elif grant_type == "refresh_token":
        refresh, granted = _use_refresh(world, app, form.get("refresh_token", ""))
    else:
        raise errors.oauth_error(
            "unsupported_grant_type",
            f"grant_type {grant_type} is not supported",
            status="BAD_GRANT_TYPE",
        )
    return _issue(world, app, granted, refresh, version)


def _client(world: World, form: dict[str, str]) -> AppConfig:
    app = world.apps.get(form.get("client_id", ""))
    if app is None:
        raise errors.oauth_error(
            "invalid_client", "missing or unknown client id", status="BAD_CLIENT_ID"
        )
    if not hmac.compare_digest(app.client_secret, form.get("client_secret", "")):
        raise errors.oauth_error(
            "invalid_client",
            "missing or invalid client secret",
            status="BAD_CLIENT_SECRET",
        )
    return app


def _redeem_code(world: World, app: AppConfig, form: dict[str, str]) -> Json:
    found = take_code(world, form.get("code", ""))
    if (
        found is None
        or found["client_id"] != app.client_id
        or found["expires_at"] <= world.now()
    ):
        raise errors.oauth_error(
            "invalid_grant", "missing or unknown auth code", status="BAD_AUTH_CODE"
        )
    if found["redirect_uri"] != form.get("redirect_uri", ""):
        raise errors.oauth_error(
            "invalid_grant",
            "redirect URI does not match the initial authorization request",
            status="MISMATCH_REDIRECT_URI_AUTH_CODE",
        )
    if not verifies(form, found["challenge"]):
        raise errors.oauth_error(
            "invalid_grant", "code verifier is wrong or missing", status="BAD_AUTH_CODE"
        )
    return {"hub_id": found["hub_id"], "scopes": found["scopes"]}


def _new_refresh(world: World, app: AppConfig, granted: Json, *, family: str) -> str:
    refresh = f"na1-{secrets.token_hex(16)}"
    document = granted | {"client_id": app.client_id, "family": family, "used": False}
    world.put("refresh", refresh, document)
    return refresh


def _use_refresh(world: World, app: AppConfig, refresh: str) -> tuple[str, Json]:
    found = world.documents("refresh").get(refresh)
    if found is None or found["client_id"] != app.client_id:
        raise errors.bad_refresh_token()
    granted = {"hub_id": found["hub_id"], "scopes": found["scopes"]}
    if found["used"]:
        # A token that was rotated away came back: somebody else holds a copy.
        _revoke_family(world, found["family"])
        raise errors.bad_refresh_token()
    if not world.settings.rotate_refresh_tokens:
        return refresh, granted
    world.put("refresh", refresh, found | {"used": True})
    return _new_refresh(world, app, granted, family=found["family"]), granted


def _revoke_family(world: World, family: str) -> None:
    for token, document in list(world.documents("refresh").items()):
        if document["family"] == family:
            world.put("refresh", token, None)


def _issue(
    world: World, app: AppConfig, granted: Json, refresh: str, version: str
) -> Reply:
    access = secrets.token_urlsafe(ACCESS_TOKEN_BYTES)
    lifetime = world.settings.access_token_ttl_s
    document = granted | {"app_id": app.app_id, "expires_at": world.now() + lifetime}
    world.put("access", access, document)
    payload: Json = {
        "token_type": "bearer",
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": int(lifetime),
    }
    if version != "v1":
        payload |= granted
    return json_reply(payload)


def introspect(world: World, request: Request) -> Reply:
    """POST /oauth/v3/token/introspect."""
    form = request.form()
    app = _client(world, form)
    hint = form.get("token_type_hint", "access_token")
    value = form.get(hint) or form.get("token", "")
    kind = "refresh" if hint == "refresh_token" else "access"
    found = world.documents(kind).get(value)
    if found is None or found.get("used") or _left(world, found) < 0:
        return json_reply({"active": False})
    shown = _described(world, found, value) | {"active": True, "token_use": hint}
    return json_reply(shown | {"client_id": app.client_id, "app_id": app.app_id})


def revoke(world: World, request: Request) -> Reply:
    """POST /oauth/v3/token/revoke: live access tokens keep working."""
    form = request.form()
    found = world.documents("refresh").get(form.get("token", ""))
    if found is not None:
        _revoke_family(world, found["family"])
    return Reply(204)


def access_token_info(world: World, token: str) -> Reply:
    """GET /oauth/v1/access-tokens/{token}."""
    found = world.documents("access").get(token)
    if found is None or _left(world, found) < 0:
        raise errors.not_found("access token not found or expired")
    shown = _described(world, found, token)
    return json_reply(shown | {"app_id": found["app_id"], "token_type": "access"})


def refresh_token_info(world: World, token: str) -> Reply:
    """GET /oauth/v1/refresh-tokens/{token}."""
    found = world.documents("refresh").get(token)
    if found is None or found["used"]:
        raise errors.bad_refresh_token()
    shown = _described(world, found, token)
    del shown["expires_in"]
    return json_reply(
        shown | {"client_id": found["client_id"], "token_type": "refresh"}
    )


def delete_refresh_token(world: World, token: str) -> Reply:
    """DELETE /oauth/v1/refresh-tokens/{token}."""
    found = world.documents("refresh").get(token)
    if found is not None:
        _revoke_family(world, found["family"])
    return Reply(204)


def _left(world: World, found: dict[str, Any]) -> int:
    expires_at: float = found.get("expires_at", world.now())
    return int(expires_at - world.now())


def _described(world: World, found: Json, token: str) -> Json:
    portal = world.portals[found["hub_id"]]
    return {
        "token": token,
        "hub_id": portal.hub_id,
        "hub_domain": portal.domain,
        "scopes": found["scopes"],
        "expires_in": _left(world, found),
        "token_type": "bearer",
        **DEMO_USER,
    }


def oauth_reply(world: World, request: Request, segments: list[str]) -> Reply | None:
    """Answer /oauth/{version}/..., or None when there is nothing at this path."""
    version, rest = segments[1], segments[2:]
    if request.method == "POST" and rest == ["token"]:
        return token(world, request, version)
    if request.method == "POST" and rest == ["token", "introspect"]:
        return introspect(world, request)
    if request.method == "POST" and rest == ["token", "revoke"]:
        return revoke(world, request)
    if version == "v1" and len(rest) == 2:
        handler = _V1.get((request.method, rest[0]))
        return handler(world, rest[1]) if handler else None
    return None


_V1 = {
    ("GET", "access-tokens"): access_token_info,
    ("GET", "refresh-tokens"): refresh_token_info,
    ("DELETE", "refresh-tokens"): delete_refresh_token,
}
