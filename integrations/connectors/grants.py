"""OAuth on the wire: the address a person is sent to, and the calls about tokens.

It stores nothing. What goes into a token call is never in an error it raises.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.conf import settings

from integrations.connectors import CONNECTORS, hosts
from integrations.connectors.http import ParseError, post_form
from integrations.connectors.messages import Answer, Expects
from integrations.connectors.spec import OAuthFacts
from integrations.errors import (
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    ReauthRequired,
    Retryable,
    SyncError,
)

DEADLINE_S = 10.0
_LONGEST_LIFE_S = 10 * 366 * 86_400
_SECRET_KEYS = ("client_secret", "code", "code_verifier", "refresh_token", "token")


class NotSetUp(Exception):
    """This installation has no app at the vendor; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token call gave. refresh "": keep the old one; lifetime_s 0: not said.

    user_id: as whom we act; api_url: the account's own host. Both "" = not said.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lifetime_s: int
    account_id: str
    scopes: tuple[str, ...]
    user_id: str = ""
    api_url: str = ""


def oauth_facts(vendor: str) -> OAuthFacts:
    """Return what is known of a vendor's OAuth. Raises NotSetUp when it has none."""
    facts = CONNECTORS[vendor].spec.oauth
    if facts is None:
        raise NotSetUp(f"{CONNECTORS[vendor].spec.label} offers no OAuth.")
    return facts


def client_of(vendor: str) -> tuple[str, str]:
    """Return our app's id and secret at a vendor. Raises NotSetUp."""
    names = (f"{vendor.upper()}_CLIENT_ID", f"{vendor.upper()}_CLIENT_SECRET")
    client_id, secret = (str(getattr(settings, name, "")) for name in names)
    if not client_id or not secret:
        raise NotSetUp(f"Set {names[0]} and {names[1]} on the server first.")
    return client_id, secret


def authorize_url(
    vendor: str, *, redirect_uri: str, state: str, verifier: str, account_id: str
) -> str:
    """Return where a person lets us in. account_id: the only account to offer."""
    facts = oauth_facts(vendor)
    path = facts.authorize_path
    if account_id.isalnum() and facts.pinned_path:
        path = facts.pinned_path.format(account=account_id)
    proof = {}
    if verifier:
        challenge = create_s256_code_challenge(verifier)
        proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    optional = facts.scope_separator.join(facts.optional_scopes)
    # HubSpot's own word, guide authentication/working-with-oauth: an account that lacks
    # one of these is let in without it.
    extra = {"optional_scope": optional} if optional else {}
    address: str = prepare_grant_uri(
        hosts.setting(vendor, "AUTH_URL") + path,
        client_of(vendor)[0],
        "code",
        redirect_uri=redirect_uri,
        scope=facts.scope_separator.join(facts.scopes),
        state=state,
        **proof,
        **extra,
    )
    return address


def exchange(vendor: str, *, code: str, redirect_uri: str, verifier: str) -> Grant:
    """Trade an authorization code for tokens. Raises SyncError."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
    }
    if verifier:
        form["code_verifier"] = verifier
    return _ask(vendor, form)


def renew(vendor: str, refresh: str) -> Grant:
    """Trade a refresh token for tokens.

    Raises ReauthRequired for `invalid_grant`, OutcomeUnknown when the refresh token
    may have been used up, else another SyncError.
    """
    return _ask(vendor, {"grant_type": "refresh_token", "refresh_token": refresh})


def revoke(vendor: str, token: str) -> None:
    """Give a token back: the refresh token ends the grant. Raises SyncError."""
    facts = oauth_facts(vendor)
    form = {"token": token}
    if facts.revoke_secret:
        form |= _credentials(vendor)
    _post(vendor, facts.revoke_path, form, expects="raw")


def _ask(vendor: str, form: dict[str, str]) -> Grant:
    facts = oauth_facts(vendor)
    answer = _post(vendor, facts.token_path, form | _credentials(vendor))
    grant = _grant(vendor, answer, facts)
    if facts.introspects and not grant.lifetime_s:
        return replace(grant, lifetime_s=_told_lifetime_s(vendor, grant.access))
    return grant


def _credentials(vendor: str) -> dict[str, str]:
    client_id, secret = client_of(vendor)
    return {"client_id": client_id, "client_secret": secret}


def _post(
    vendor: str, path: str, form: Mapping[str, str], *, expects: Expects = "object"
) -> Answer:
    return post_form(
        hosts.setting(vendor, oauth_facts(vendor).token_host),
        path,
        form,
        vendor=vendor,
        parse_error=_error_parser(form),
        deadline_s=DEADLINE_S,
        expects=expects,
    )


def _told_lifetime_s(vendor: str, access: str) -> int:
    """Ask how long a token has left; 0 where that is not told.

    Then its end is noticed by a refused call, which costs that call only.
    """
    form = {"token": access, "token_type_hint": "access_token"}
    path = oauth_facts(vendor).introspect_path
    try:
        body = _post(vendor, path, form | _credentials(vendor)).body
    except SyncError:
        return 0
    ends_at = body.get("exp")
    if isinstance(ends_at, bool) or not isinstance(ends_at, int | float):
        return 0
    return min(max(int(ends_at - time.time()), 0), _LONGEST_LIFE_S)


def _grant(vendor: str, answer: Answer, facts: OAuthFacts) -> Grant:
    body = answer.body
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access, str) or not access.strip():
        raise OutcomeUnknown("The answer holds no access token", status=answer.status)
    account_id, user_id = _identity(body.get(facts.identity_field))
    host = body.get(facts.host_field)
    return Grant(
        access=access.strip(),
        refresh=refresh.strip() if isinstance(refresh, str) else "",
        lifetime_s=_lifetime_s(body.get("expires_in"), facts),
        account_id=str(body.get(facts.account_field) or "") or account_id,
        scopes=_scopes(body, facts),
        user_id=user_id,
        api_url=hosts.accepted(vendor, str(host)) if host else "",
    )


def _identity(address: object) -> tuple[str, str]:
    """Return account and user id of an address that ends in them, ("", "") else."""
    parts = address.rstrip("/").split("/") if isinstance(address, str) else []
    ids = [one for one in parts[-2:] if one.isascii() and one.isalnum()]
    return (ids[0], ids[1]) if len(ids) == 2 and len(parts) > 4 else ("", "")


def _lifetime_s(told: object, facts: OAuthFacts) -> int:
    text = str(told)
    known = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return min(known, _LONGEST_LIFE_S) or facts.token_lifetime_s or 0


def _scopes(body: Mapping[str, object], facts: OAuthFacts) -> tuple[str, ...]:
    listed = body.get("scopes", body.get("scope"))
    if isinstance(listed, str):
        listed = listed.split(facts.scope_separator)
    names = listed if isinstance(listed, list) else []
    return tuple(name for name in names if isinstance(name, str) and name)


def _error_parser(form: Mapping[str, str]) -> ParseError:
    """Return what reads a refusal of this form; a vendor may echo what it was sent."""
    secrets = [form[key] for key in _SECRET_KEYS if form.get(key)]

    def parse(status: int, headers: Mapping[str, str], body: bytes) -> SyncError:
        text = body[:4096].decode("utf-8", "replace")
        for secret in secrets:
            text = text.replace(secret, "***")
        return _error(status, headers, text)

    return parse


def _error(status: int, headers: Mapping[str, str], text: str) -> SyncError:
    """Name a refusal. RFC 6749 section 5.2: only `invalid_grant` is about the grant."""
    told = _told(text)
    code = str(told.get("error") or "")
    words = told.get("error_description") or told.get("message") or ""
    message = str(words) or f"The token call was answered with {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = headers.get("retry-after", "")
        wait_s = min(float(wait), 3600.0) if wait.isascii() and wait.isdigit() else None
        return RateLimited(message, retry_after_s=wait_s, status=status, code=code)
    if code == "invalid_grant" and 400 <= status < 500:
        return ReauthRequired(message, status=status, code=code)
    if 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT:
        return Misconfigured(message, status=status, code=code)
    return Retryable(message, status=status, code=code)


def _told(text: str) -> Mapping[str, object]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
