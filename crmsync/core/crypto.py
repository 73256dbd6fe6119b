"""Encrypted text fields: AES-256-GCM, key ids, rotation.

A stored value opens only in the table and column it was written to, and a value that
no key opens raises; it is never handed out as if it were the secret. The row is not
bound in: Django encrypts before the database has given a new row its key, so a value
copied to another row of the same column still opens.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.models.functions import Cast, Greatest, StrIndex, Substr

_NONCE_BYTES = 12


class WrongKey(Exception):
    """No configured key opens this value."""


@lru_cache(maxsize=16)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(secret.encode()).digest())


def _keys() -> dict[str, AESGCM]:
    """Return key id -> cipher, the encrypting one first."""
    ciphers: dict[str, AESGCM] = {}
    for entry in settings.ENCRYPTION_KEYS:
        key_id, _, secret = entry.strip().partition(":")
        if not key_id or not secret or "$" in key_id:
            raise ImproperlyConfigured("ENCRYPTION_KEYS takes id:secret pairs.")
        if key_id in ciphers:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS holds {key_id!r} twice.")
        ciphers[key_id] = _cipher(secret)
    return ciphers


def first_key_id() -> str:
    """Return the id of the key that encrypts."""
    return next(iter(_keys()))


def encrypt(value: str, place: str) -> str:
    """Return `<key id>$<ciphertext>` under the first key, to be opened at `place`."""
    key_id, cipher = next(iter(_keys().items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, value.encode(), place.encode())
    return f"{key_id}${base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, place: str) -> str:
    """Return the plain text. Raises WrongKey when no key opens it here."""
    key_id, mark, text = stored.partition("$")
    if not mark:
        # Without a key id it may be plain text: it must not get into the message.
        raise WrongKey(f"{place} holds something that was never encrypted.")
    cipher = _keys().get(key_id)
    if cipher is None:
        raise WrongKey(f"{place} needs the encryption key {key_id[:40]!r}: not set.")
    try:
        sealed = base64.urlsafe_b64decode(text)
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return cipher.decrypt(nonce, body, place.encode()).decode()
    except (InvalidTag, ValueError):
        told = f"The encryption key {key_id!r} does not open {place}."
        raise WrongKey(told) from None


class EncryptedTextField(models.TextField):
    """Text that is ciphertext in the database and plain in Python.

    It cannot be searched: the same text encrypts differently each time. Renaming its
    table or column takes a data migration, since both are part of what is signed.
    """

    @property
    def place(self) -> str:
        """Return where its values may be opened."""
        return f"{self.model._meta.db_table}.{self.column}"  # noqa: SLF001 - public

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt; empty stays empty, so that "not set" needs no key."""
        return encrypt(str(value), self.place) if value else ""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        """Decrypt what the database gave."""
        return decrypt(value, self.place) if value else ""

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse to filter by a secret, which would silently find nothing."""
        if lookup_name not in {"isnull"}:
            raise FieldError("An encrypted field cannot be filtered on.")
        return super().get_lookup(lookup_name)


@dataclass(frozen=True, slots=True)
class Column:
    """One encrypted column of one model."""

    model: type[models.Model]
    field: EncryptedTextField

    @property
    def table(self) -> str:
        """Return the table it is in."""
        return self.field.place.partition(".")[0]

    def rows(self) -> models.QuerySet[Any]:
        """Return the filled rows of every workspace with `raw`, what is stored.

        `key_id` is the id of the key it needs.
        """
        raw = Cast(self.field.name, models.TextField())
        manager = self.model._base_manager  # noqa: SLF001 - public, and unscoped
        filled = manager.annotate(raw=raw).exclude(raw="")
        end = Greatest(StrIndex("raw", models.Value("$")) - 1, models.Value(0))
        return filled.annotate(key_id=Substr("raw", 1, end))


def encrypted_columns() -> Iterator[Column]:
    """Yield every encrypted column of every installed model."""
    for model in apps.get_models():
        for field in model._meta.local_fields:  # noqa: SLF001 - public
            if isinstance(field, EncryptedTextField):
                yield Column(model, field)
