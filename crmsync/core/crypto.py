"""Encrypted text fields: AES-128 with a signature (Fernet), key ids, rotation.

A value that no key opens raises; it is never handed out as if it were the secret.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models


class WrongKey(Exception):
    """No configured key opens this value."""


def _keys() -> dict[str, Fernet]:
    """Return key id -> cipher, the encrypting one first."""
    ciphers = {}
    for entry in settings.ENCRYPTION_KEYS:
        key_id, _, secret = entry.partition(":")
        if not secret:
            raise ImproperlyConfigured("ENCRYPTION_KEYS takes id:secret pairs.")
        digest = hashlib.sha256(secret.encode()).digest()
        ciphers[key_id] = Fernet(base64.urlsafe_b64encode(digest))
    return ciphers


def encrypt(value: str) -> str:
    """Return `<key id>$<ciphertext>` under the first key."""
    key_id, cipher = next(iter(_keys().items()))
    return f"{key_id}${cipher.encrypt(value.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Return the plain text. Raises WrongKey when no key opens it."""
    key_id, _, ciphertext = stored.partition("$")
    cipher = _keys().get(key_id)
    if cipher is None:
        raise WrongKey(f"The encryption key {key_id!r} is not configured.")
    try:
        return cipher.decrypt(ciphertext.encode()).decode()
    except InvalidToken as error:
        raise WrongKey(f"The encryption key {key_id!r} does not fit.") from error


def key_id_of(stored: str) -> str:
    """Return the id of the key a stored value needs."""
    return stored.partition("$")[0]


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database and plain in Python.

    It cannot be searched: the same text encrypts differently each time.
    """

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt; empty stays empty, so that "not set" needs no key."""
        return encrypt(str(value)) if value else ""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        """Decrypt what the database gave."""
        return decrypt(value) if value else ""

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse to filter by a secret, which would silently find nothing."""
        if lookup_name not in {"isnull"}:
            raise FieldError("An encrypted field cannot be filtered on.")
        return super().get_lookup(lookup_name)
