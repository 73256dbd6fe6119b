"""Encrypted values: which key opens which, where, and what a wrong one does."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from crmsync.core.crypto import WrongKey, decrypt, encrypt

PLACE = "some_table.secret"


@pytest.fixture(autouse=True)
def keys(settings: Any) -> Any:
    settings.ENCRYPTION_KEYS = ["k2:second-secret", "k1:first-secret"]
    return settings


@pytest.mark.parametrize("text", ["x", "na1-é-日本-\x00-😀", "a" * 10_000, "k1$looks"])
def test_what_was_encrypted_opens_again(text: str) -> None:
    assert decrypt(encrypt(text, PLACE), PLACE) == text


def test_same_text_never_looks_the_same_twice() -> None:
    assert encrypt("secret", PLACE) != encrypt("secret", PLACE)


def test_first_key_encrypts_and_all_keys_decrypt(keys: Any) -> None:
    old = encrypt("secret", PLACE)
    keys.ENCRYPTION_KEYS = ["k3:third-secret", *keys.ENCRYPTION_KEYS]

    new = encrypt("secret", PLACE)

    assert old.startswith("k2$")
    assert new.startswith("k3$")
    assert decrypt(old, PLACE) == decrypt(new, PLACE) == "secret"


def test_removed_key_opens_nothing_and_is_named(keys: Any) -> None:
    stored = encrypt("secret", PLACE)
    keys.ENCRYPTION_KEYS = ["k1:first-secret"]

    with pytest.raises(WrongKey, match="'k2'"):
        decrypt(stored, PLACE)


def test_other_secret_under_the_same_id_opens_nothing(keys: Any) -> None:
    stored = encrypt("secret", PLACE)
    keys.ENCRYPTION_KEYS = ["k2:another-secret"]

    with pytest.raises(WrongKey, match="does not open"):
        decrypt(stored, PLACE)


def test_value_copied_to_another_column_does_not_open() -> None:
    stored = encrypt("secret", PLACE)

    with pytest.raises(WrongKey):
        decrypt(stored, "some_table.other")


def test_no_changed_character_goes_unnoticed() -> None:
    stored = encrypt("secret", PLACE)

    # The last character carries bits that belong to nothing.
    for at in range(len("k2$"), len(stored.rstrip("=")) - 1):
        other = "A" if stored[at] != "A" else "B"
        with pytest.raises(WrongKey):
            decrypt(stored[:at] + other + stored[at + 1 :], PLACE)


@pytest.mark.parametrize("stored", ["secret", "k2$", "k2$x", "k2$!!!!", "$", "k2$é"])
def test_what_is_no_ciphertext_is_never_handed_out(stored: str) -> None:
    with pytest.raises(WrongKey):
        decrypt(stored, PLACE)


@pytest.mark.parametrize(
    "given", [["nokey"], ["k1:"], [":x"], ["k1:a", "k1:b"], ["k$1:a"], [""]]
)
def test_keys_that_make_no_sense_are_refused(keys: Any, given: list[str]) -> None:
    keys.ENCRYPTION_KEYS = given

    with pytest.raises(ImproperlyConfigured):
        encrypt("secret", PLACE)


def test_plain_text_in_the_column_is_not_repeated_in_the_error() -> None:
    with pytest.raises(WrongKey) as caught:
        decrypt("canary-plain-text", PLACE)

    assert "canary" not in str(caught.value)


def test_errors_hold_neither_text_nor_key(keys: Any) -> None:
    stored = encrypt("canary-text", PLACE)
    keys.ENCRYPTION_KEYS = ["k2:canary-key"]

    with pytest.raises(WrongKey) as caught:
        decrypt(stored, PLACE)

    assert "canary" not in str(caught.value)
    assert stored not in str(caught.value)
