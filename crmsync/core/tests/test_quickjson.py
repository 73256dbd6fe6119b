"""JSON is written the same whatever is in it."""

from __future__ import annotations

import json

import pytest

from crmsync.core import quickjson


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Ana Müller", "tags": ["a", None, True], "n": 1.5},
        [("a", 1), ("b", 2)],
        {"huge": 2**70},
        {"lone": "\ud83d"},
        {1: "a key that is no text"},
    ],
)
def test_what_is_written_reads_as_the_standard_module_has_it(value: object) -> None:
    assert json.loads(quickjson.written(value)) == json.loads(json.dumps(value))


def test_a_number_that_is_none_is_null() -> None:
    assert quickjson.written([float("nan"), float("inf")]) == b"[null,null]"


def test_what_has_no_form_in_json_takes_the_one_it_is_given() -> None:
    assert quickjson.written([1 + 2j], str) == b'["(1+2j)"]'


def test_what_has_no_form_in_json_is_refused_without_one() -> None:
    with pytest.raises(TypeError):
        quickjson.written([1 + 2j])


@pytest.mark.parametrize(
    "text",
    [
        b'{"name": "Ana M\xc3\xbcller", "tags": ["a", null, true], "n": 1.5}',
        b'{"lone": "\\ud83d"}',
        b"[Infinity]",
        '{"utf": 16}'.encode("utf-16"),
        b'{"twice": 1, "twice": 2}',
        b"9223372036854775808",
    ],
)
def test_what_is_read_is_what_the_standard_module_reads(text: bytes) -> None:
    assert quickjson.read(text) == json.loads(text)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\xfa", b'"\x00"'])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        quickjson.read(text)


def test_what_is_too_deep_to_read_is_refused() -> None:
    with pytest.raises(RecursionError):
        quickjson.read(b"[" * 100_000)
