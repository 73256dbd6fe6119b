"""OAuth: sessions, refresh tokens, introspection and revocation."""

import base64
import hashlib
import hmac
import secrets

from integrations.simulators.oauth import take_code, verifies
from integrations.simulators.salesforce import defaults, errors
from integrations.simulators.salesforce.world import AppConfig, World
from integrations.simulators.wire import Json, Reply, Request, json_reply

ACCESS_TOKEN_BYTES = 66


def token(world: World, request: Request) -> Reply:
    """POST /services/oauth2/token."""
    form = request.form() | _basic(request)
    app = world.apps.get(form.get("client_id", ""))
    if app is None:
        raise errors.oauth("invalid_client_id", "client identifier invalid")
    kind = form.get("grant_type", "")
    handler = _GRANTS.get(kind)
    if handler is None:
        raise errors.oauth("unsupported_grant_type", "grant type not supported")
    secret = form.get("client_secret")
    # A public client proves itself with its code verifier instead.
    public = kind == "authorization_code" and bool(form.get("code_verifier"))
    if secret is None and not public:
        raise errors.oauth("invalid_client", "invalid client credentials")
    if secret is not None and not hmac.compare_digest(app.client_secret, secret):
        raise errors.oauth("invalid_client", "invalid client credentials")
    return json_reply(handler(world, request, app, form))


def _basic(request: Request) -> dict[str, str]:
    scheme, _, value = request.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": name, "client_secret": secret}


def _code_grant(
    world: World, request: Request, app: AppConfig, form: dict[str, str]
) -> Json:
    found = take_code(world, form.get("code", ""))
    if found is None or found["client_id"] != app.client_id:
        raise errors.oauth("invalid_grant", "invalid authorization code")
    if found["expires_at"] <= world.now():
        raise errors.oauth("invalid_grant", "expired authorization code")
    if found["redirect_uri"] != form.get("redirect_uri", ""):
        raise errors.oauth(
            "redirect_uri_mismatch", "redirect_uri must match configuration"
        )
    if not verifies(form, found["challenge"]):
        raise errors.oauth("invalid_grant", "invalid code verifier")
    granted = {k: found[k] for k in ("org", "user", "scope", "client_id")}
    answer = _issue(world, request, app, granted)
    if _offline(found["scope"]):
        answer["refresh_token"] = _new_refresh(world, granted)
        _limit_approvals(world, granted)
    return answer


def _offline(scope: str) -> bool:
    return bool({"refresh_token", "offline_access"} & set(scope.split()))


def _new_refresh(world: World, granted: Json) -> str:
    refresh = "5Aep861" + secrets.token_urlsafe(48)
    world.put("refresh", refresh, granted)
    return refresh


def _limit_approvals(world: World, granted: Json) -> None:
    """Revoke the oldest approval when a user holds too many for this app."""
    held = [
        key
        for key, found in world.documents("refresh").items()
        if all(found[k] == granted[k] for k in ("org", "user", "client_id"))
    ]
    for key in held[: max(0, len(held) - world.settings.max_approvals)]:
        world.put("refresh", key, None)


def _refresh_grant(
    world: World, request: Request, app: AppConfig, form: dict[str, str]
) -> Json:
    refresh = form.get("refresh_token", "")
    found = world.documents("refresh").get(refresh)
    if found is None or found["client_id"] != app.client_id:
        raise errors.oauth("invalid_grant", "expired access/refresh token")
    answer = _issue(world, request, app, found)
    if world.settings.rotate_refresh_tokens:
        world.put("refresh", refresh, None)
        answer["refresh_token"] = _new_refresh(world, found)
    return answer


def _client_grant(
    world: World, request: Request, app: AppConfig, form: dict[str, str]
) -> Json:
    org = world.default_org
    user = defaults.integration_user(org.spec)
    granted = {"org": org.pod, "user": user, "scope": "api id"}
    return _issue(world, request, app, granted | {"client_id": app.client_id})


def _password_grant(
    world: World, request: Request, app: AppConfig, form: dict[str, str]
) -> Json:
    for org in world.orgs.values():
        row = org.user_named(form.get("username", ""))
        # A security token may follow the password.
        if row is None or not form.get("password", "").startswith(defaults.PASSWORD):
            continue
        if not row.values.get("IsActive"):
            raise errors.oauth("inactive_user", "user is inactive")
        granted = {"org": org.pod, "user": row.id, "scope": "api id"}
        return _issue(world, request, app, granted | {"client_id": app.client_id})
    raise errors.oauth("invalid_grant", "authentication failure - Invalid Password")


def _issue(world: World, request: Request, app: AppConfig, granted: Json) -> Json:
    org = world.orgs[granted["org"]]
    row = org.tables["User"].rows[granted["user"]]
    if not row.values.get("IsActive"):
        raise errors.oauth("invalid_grant", "expired access/refresh token")
    access = f"{org.id[:15]}!AR8AQ{secrets.token_urlsafe(ACCESS_TOKEN_BYTES)}"
    lifetime = world.settings.access_token_ttl_s
    world.put("access", access, granted | {"expires_at": world.now() + lifetime})
    base, issued = base_url(request), str(world.now_ms())
    identity = f"{base}/id/{org.id}/{row.id}"
    signed = hmac.new(
        app.client_secret.encode(), (identity + issued).encode(), hashlib.sha256
    )
    return {
        "access_token": access,
        "signature": base64.b64encode(signed.digest()).decode(),
        "scope": granted["scope"],
        "instance_url": base,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued,
    }


def base_url(request: Request) -> str:
    """Return this simulator's own address, as the caller wrote it."""
    host = request.header("Host") or (
        f"{request.environ.get('SERVER_NAME')}:{request.environ.get('SERVER_PORT')}"
    )
    return f"http://{host}"


def introspect(world: World, request: Request) -> Reply:
    """POST /services/oauth2/introspect."""
    form = request.form() | _basic(request)
    app = world.apps.get(form.get("client_id", ""))
    if app is None or form.get("client_secret") != app.client_secret:
        raise errors.oauth("invalid_client", "invalid client credentials", 401)
    value = form.get("token", "")
    found = world.documents("access").get(value)
    refresh = world.documents("refresh").get(value)
    if found is None and refresh is None:
        return json_reply({"active": False})
    if found is not None and found["expires_at"] <= world.now():
        return json_reply({"active": False})
    shown = found or refresh or {}
    org = world.orgs[shown["org"]]
    row = org.tables["User"].rows[shown["user"]]
    answer = {
        "active": True,
        "scope": shown["scope"],
        "client_id": shown["client_id"],
        "username": row.values["Username"],
        "sub": f"{base_url(request)}/id/{org.id}/{row.id}",
        "token_type": "access_token" if found else "refresh_token",
        "iat": int(world.now()),
        "nbf": int(world.now()),
    }
    return json_reply(answer | ({"exp": int(found["expires_at"])} if found else {}))


def revoke(world: World, request: Request) -> Reply:
    """POST or GET /services/oauth2/revoke: a refresh token takes its sessions along."""
    value = request.form().get("token", "") or request.first("token")
    found = world.documents("refresh").get(value)
    if found is not None:
        for key, other in list(world.documents("access").items()):
            if all(found[k] == other.get(k) for k in ("org", "user", "client_id")):
                world.put("access", key, None)
        world.put("refresh", value, None)
    elif value in world.documents("access"):
        world.put("access", value, None)
    else:
        raise errors.oauth("unsupported_token_type", "this token type is not supported")
    return Reply(200)


_GRANTS = {
    "authorization_code": _code_grant,
    "refresh_token": _refresh_grant,
    "client_credentials": _client_grant,
    "password": _password_grant,
}
