"""Record ids: 15 case-sensitive characters, and the 18 that also carry their case."""

import re
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SERIAL = 9


@lru_cache(maxsize=8192)
def _check_letter(chunk: str) -> str:
    return _CHECK[sum(1 << at for at, char in enumerate(chunk) if char.isupper())]


def with_check(short: str) -> str:
    """Return the 18-character form of a 15-character id.

    >>> with_check("001D000000Kv3g5")
    '001D000000Kv3g5IAB'
    """
    return short + (
        _check_letter(short[:5])
        + _check_letter(short[5:10])
        + _check_letter(short[10:])
    )


def make(prefix: str, pod: str, number: int) -> str:
    """Return an id. prefix and pod: three characters each; ids sort as they are made.

    >>> make("00Q", "Fh0", 1)
    '00QFh0000000001EAA'
    """
    digits = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    serial = "".join(reversed(digits)).rjust(_SERIAL, "0")
    return with_check(prefix + pod + serial)


def number_of(long: str) -> int:
    """Return the serial number an id was made from."""
    number = 0
    for char in long[6:15]:
        number = number * 62 + ALPHABET.index(char)
    return number


def normal(text: object) -> str:
    """Return an id in its 18-character form, empty when it cannot be one."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return ""
    long = with_check(text[:15])
    return long if len(text) == 15 or text[15:].upper() == long[15:] else ""
