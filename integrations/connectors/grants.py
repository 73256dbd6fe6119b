"""OAuth on the wire: the address a person is sent to, and the calls for tokens.

It stores nothing. What goes into a token call is never in an error it raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.conf import settings

from integrations.connectors import CONNECTORS
from integrations.connectors.http import Answer, ParseError, post_form
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
_SECRET_KEYS = ("client_secret", "code", "code_verifier", "refresh_token")


class NotSetUp(Exception):
    """This installation has no app at the vendor; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token call gave. refresh "": keep the old one; lifetime_s 0: not said."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lifetime_s: int
    account_id: str
    scopes: tuple[str, ...]


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
    host = str(getattr(settings, f"{vendor.upper()}_AUTH_URL")).rstrip("/")
    address: str = prepare_grant_uri(
        host + path,
        client_of(vendor)[0],
        "code",
        redirect_uri=redirect_uri,
        scope=facts.scope_separator.join(facts.scopes),
        state=state,
        **proof,
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


def _ask(vendor: str, form: dict[str, str]) -> Grant:
    client_id, secret = client_of(vendor)
    form |= {"client_id": client_id, "client_secret": secret}
    facts = oauth_facts(vendor)
    answer = post_form(
        str(getattr(settings, f"{vendor.upper()}_API_URL")),
        facts.token_path,
        form,
        vendor=vendor,
        parse_error=_error_parser(form),
        deadline_s=DEADLINE_S,
    )
    return _grant(answer, facts)


def _grant(answer: Answer, facts: OAuthFacts) -> Grant:
    body = answer.body
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access, str) or not access.strip():
        raise OutcomeUnknown("The answer holds no access token", status=answer.status)
    return Grant(
        access=access.strip(),
        refresh=refresh.strip() if isinstance(refresh, str) else "",
        lifetime_s=_lifetime_s(body.get("expires_in"), facts),
        account_id=str(body.get(facts.account_field) or ""),
        scopes=_scopes(body, facts),
    )


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
