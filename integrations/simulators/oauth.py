"""The parts of an OAuth server that no vendor does otherwise: codes and challenges."""

import base64
import hashlib
import secrets
from typing import Any

from integrations.simulators.wire import Json
from integrations.simulators.world import AppConfig, World


def new_code(
    world: World[Any, Any, Any],
    app: AppConfig,
    granted: Json,
    *,
    redirect_uri: str,
    challenge: str,
    prefix: str = "",
) -> str:
    """Return a single-use authorization code.

    granted: what it will be exchanged for; prefix: how the vendor's codes begin.
    """
    code = prefix + secrets.token_urlsafe(36)
    document = granted | {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "challenge": challenge,
        "expires_at": world.now() + world.settings.code_ttl_s,
    }
    world.put("codes", code, document)
    return code


def take_code(world: World[Any, Any, Any], code: str) -> Json | None:
    """Return what a code stands for, and forget it."""
    found = world.documents("codes").get(code)
    world.put("codes", code, None)
    return found


def verifies(form: dict[str, str], challenge: str) -> bool:
    """Say whether the form's verifier has this S256 challenge, empty = none needed."""
    if not challenge:
        return True
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
