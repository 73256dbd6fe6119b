"""What a field mapping can do to a value on its way: a fixed table of functions.

PURE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Transform = Callable[[object], object]


def _first_word(value: object) -> object:
    return str(value).split(" ", 1)[0]


TRANSFORMS: Mapping[str, Transform] = {
    "trim": lambda value: str(value).strip(),
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "title": lambda value: str(value).title(),
    "first_word": _first_word,
}

LABELS: Mapping[str, str] = {
    "": "As it is",
    "trim": "Without outer spaces",
    "lower": "lower case",
    "upper": "UPPER CASE",
    "title": "Title Case",
    "first_word": "First word only",
}
