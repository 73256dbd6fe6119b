"""Remembers which keys were seen, in the same little memory however many they are.

PURE. It never forgets one; at times it takes a key for seen that was not: one in some
hundreds once it is as full as it was made for.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b

_BITS_PER_KEY = 16
_PROBES = 4
LEAST, MOST = 4 * 1024, 4 * 1024 * 1024


class Seen:
    """A set of keys that can be added to and asked, not listed.

    >>> some = Seen.for_keys(10)
    >>> some.add(["a", "b"])
    >>> "a" in some, "c" in some, "b" in Seen.loaded(some.dumped())
    (True, False, True)
    """

    def __init__(self, bits: bytearray) -> None:
        self._bits = bits

    @classmethod
    def for_keys(cls, count: int) -> Seen:
        """Return an empty one that is made for so many keys, within bounds."""
        size = min(max(count * _BITS_PER_KEY // 8, LEAST), MOST)
        return cls(bytearray(size))

    @classmethod
    def loaded(cls, text: str) -> Seen:
        """Return one as it was when it was dumped."""
        return cls(bytearray(zlib.decompress(base64.b64decode(text))))

    def dumped(self) -> str:
        """Return it as text, short while it is nearly empty."""
        return base64.b64encode(zlib.compress(bytes(self._bits), 1)).decode()

    def add(self, keys: Iterable[str]) -> None:
        """Remember these keys."""
        for key in keys:
            for place in self._places(key):
                self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: str) -> bool:
        return all(
            self._bits[place >> 3] & (1 << (place & 7)) for place in self._places(key)
        )

    def _places(self, key: str) -> Iterator[int]:
        digest = blake2b(key.encode(), digest_size=8 * _PROBES).digest()
        for start in range(0, len(digest), 8):
            yield int.from_bytes(digest[start : start + 8]) % (len(self._bits) * 8)
