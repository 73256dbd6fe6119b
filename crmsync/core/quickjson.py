"""JSON read and written fast: what is plain by orjson, all else by the standard module.

Syncing writes each value three times: into a call, a link and the journal.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import orjson


def written(value: object, default: Callable[[object], object] | None = None) -> bytes:
    """Return a value as JSON in UTF-8; default: as `json.dumps` has it.

    A number that is none becomes null, for JSON has no word for it. Raises TypeError
    and ValueError as the standard module does.
    """
    try:
        return orjson.dumps(value, default)
    except TypeError:
        # Whole numbers past 64 bits, lone surrogates, keys that are no text.
        return json.dumps(value, default=default).encode()


def read(text: bytes) -> object:
    """Return what JSON says; numbers past 64 bits lose their last digits.

    Raises ValueError for what is none, RecursionError for what is too deep.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Lone surrogates, NaN, other encodings than UTF-8.
        return json.loads(text)
