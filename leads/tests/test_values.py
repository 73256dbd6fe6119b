"""Values are cleaned the same whichever way they are looked at."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from leads.services.values import Wrong, text, web_address


@pytest.mark.parametrize(
    "scheme", ["http://", "https://", "HTTP://", "ftp://", "//", ""]
)
@pytest.mark.parametrize(
    "rest",
    [
        *("example.com", "example.com/a b", "example.com?x=[1]", "example.com#x"),
        *("example.com:80/x", "user@example.com", "[::1]/x", "[::1", "a]b", ""),
        *("/path", "?x", "#x", ".", "-", "1", "a..b", "exa mple.com", "bücher.example"),
        *("a\tb.example", "example.com\n", "a\\b", "a%20b", "a_b", "\u2100.example"),
    ],
)
def test_a_web_address_is_what_the_library_finds_a_host_in(
    scheme: str, rest: str
) -> None:
    assert is_address(scheme + rest) == by_the_library((scheme + rest).strip())


def is_address(given: str) -> bool:
    try:
        return web_address(given) == given.strip()
    except Wrong:
        return False


def by_the_library(given: str) -> bool:
    try:
        parts = urlsplit(given)
        return not given or (parts.scheme in {"http", "https"} and bool(parts.hostname))
    except ValueError:
        return False


@pytest.mark.parametrize("given", ["a\x00b", "\ud800", "é\ud800", "\x00é"])
def test_text_that_no_database_takes_is_wrong(given: str) -> None:
    with pytest.raises(Wrong):
        text(10)(given)
