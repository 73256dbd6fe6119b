"""The golden payloads, for tests, the demo and `manage.py send_webhook`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "payloads"
_EVENTS = ".events.json"
# The account that a CRM's payloads are about.
ACCOUNTS = {"hubspot": "4100001", "salesforce": "00D8x000001AbCdEAK"}


def sources() -> list[str]:
    """Return the sources that have payloads."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def cases(source: str) -> list[str]:
    """Return the names of a source's payloads, none for an unknown source."""
    files = (FOLDER / source).glob("*.*")
    return sorted(f.stem for f in files if not f.name.endswith(_EVENTS))


def body_of(source: str, case: str) -> bytes:
    """Return a payload, byte for byte."""
    path = FOLDER / source / f"{case}.xml"
    return (path if path.exists() else path.with_suffix(".json")).read_bytes()


def for_account(source: str, body: bytes, account: str) -> bytes:
    """Return a CRM's payload as it would be about another account of it."""
    golden = ACCOUNTS.get(source, "").encode()
    if not golden:
        return body
    wanted = account.encode()
    # An id of Salesforce is as good without its last three characters.
    return body.replace(golden, wanted).replace(golden[:15], wanted[:15])


def events_of(source: str, case: str) -> list[dict[str, Any]]:
    """Return the messages and hints a payload must become, without what is empty."""
    found: list[dict[str, Any]] = json.loads(
        (FOLDER / source / f"{case}{_EVENTS}").read_text()
    )
    return found


def varied(body: bytes, *, salt: str, now: datetime) -> bytes:
    """Return the same payload of another person, with other ids, written now.

    The same id in two places stays the same, and the campaign is left alone.
    """
    return json.dumps(_varied(json.loads(body), salt, now)).encode()


def _varied(value: object, salt: str, now: datetime) -> object:
    if not isinstance(value, dict):
        return value
    return {
        name: _one(name.lower(), one, salt, now) if name != "campaign" else one
        for name, one in value.items()
    }


def _one(name: str, value: object, salt: str, now: datetime) -> object:
    if isinstance(value, dict):
        return _varied(value, salt, now)
    change = next((do for end, do in _CHANGES.items() if name.endswith(end)), None)
    if change is None or not isinstance(value, str | int) or value in ("", False, True):
        return value
    return change(value, salt, now)


def _other_id(value: str | int, salt: str, now: datetime) -> str:
    digest = hashlib.sha256(f"{salt} {value}".encode()).hexdigest()
    return digest[: max(len(str(value)), 16)]


def _other_email(value: str | int, salt: str, now: datetime) -> str:
    local, _, domain = str(value).partition("@")
    return f"{local}.{_tag(salt)}@{domain}"


def _other_profile(value: str | int, salt: str, now: datetime) -> str:
    return f"{str(value).rstrip('/')}-{_tag(salt)}"


def _other_name(value: str | int, salt: str, now: datetime) -> str:
    return f"{value} {_tag(salt)}"


def _other_phone(value: str | int, salt: str, now: datetime) -> str:
    """Return no phone: invented numbers are few, and people may not share one."""
    return ""


def _other_time(value: str | int, salt: str, now: datetime) -> str | int:
    is_millis = isinstance(value, int)
    return int(now.timestamp() * 1000) if is_millis else now.isoformat()


def _tag(salt: str) -> str:
    return hashlib.sha256(salt.encode()).hexdigest()[:6]


# End of a name in lower case -> what to do with the value; the first that fits.
_CHANGES: Mapping[str, Callable[[str | int, str, datetime], str | int]] = {
    "email": _other_email,
    "linkedinurl": _other_profile,
    "linkedinid": _other_profile,
    "identityid": lambda value, salt, now: value,
    "campaignid": lambda value, salt, now: value,
    "id": _other_id,
    "lastname": _other_name,
    "phone": _other_phone,
    "createdat": _other_time,
    "sentat": _other_time,
    "timestamp": _other_time,
}
