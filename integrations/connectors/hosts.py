"""Which host an account is called at, and which hosts our token may be sent to.

A host that a person typed, or a vendor answered, counts only when it is the vendor's.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from integrations.connectors import CONNECTORS
from integrations.errors import Misconfigured

_LONGEST = 200


class UntrustedHost(Misconfigured):
    """The address is not one of the vendor's; the message says what would be."""


def setting(vendor: str, name: str) -> str:
    """Return a vendor's host setting, `API_URL` or `AUTH_URL`, without a last slash."""
    return str(getattr(settings, f"{vendor.upper()}_{name}", "")).rstrip("/")


def api_url(vendor: str, account_url: str = "") -> str:
    """Return the host to call, "" where none is known.

    A setting stands above the account's own host, so that a simulator can stand in.
    """
    return setting(vendor, "API_URL") or account_url


def called_at(vendor: str, account_url: str) -> str:
    """Return the host to call. Raises Misconfigured where none is known."""
    if found := api_url(vendor, account_url):
        return found
    label = CONNECTORS[vendor].spec.label
    told = f"The address of this account at {label} is not known. Reconnect it."
    raise Misconfigured(told, vendor=vendor, code="NO_HOST")


def has_own(vendor: str) -> bool:
    """Tell whether each account of the vendor has a host of its own."""
    return bool(CONNECTORS[vendor].spec.host_suffixes)


def accepted(vendor: str, address: str) -> str:
    """Return an account's host as https://host. Raises UntrustedHost.

    Nothing else is taken: our token, and what the host answers, would go to whoever
    wrote it.
    """
    text = address.strip()
    parts = _split(text if "://" in text else f"https://{text}")
    if parts is not None:
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        if origin in {setting(vendor, "API_URL"), setting(vendor, "AUTH_URL")}:
            return origin
        if _is_vendors(vendor, parts):
            return f"https://{parts.hostname}"
    raise UntrustedHost(_told(vendor), vendor=vendor, code="UNTRUSTED_HOST")


def _split(text: str) -> SplitResult | None:
    """Split an address; None for one that carries more than a host and a path."""
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
        return None
    try:
        parts = urlsplit(text)
        known = (parts.hostname and parts.port is not None) or parts.hostname
    except ValueError:
        return None
    plain = "@" not in parts.netloc and "\\" not in text
    return parts if known and plain else None


def _is_vendors(vendor: str, parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.port not in (None, 443):
        return False
    labels = host.split(".")
    if not all(one.replace("-", "").isalnum() for one in labels):
        return False
    return host.endswith(CONNECTORS[vendor].spec.host_suffixes)


def _told(vendor: str) -> str:
    spec = CONNECTORS[vendor].spec
    if not spec.host_suffixes:
        return f"All accounts of {spec.label} have the same host."
    return (
        f"This is not the address of an account at {spec.label}. Give the one that "
        f"ends in {spec.host_suffixes[0]}."
    )
