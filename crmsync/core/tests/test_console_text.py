"""What strangers sent, as the console shows it."""

from __future__ import annotations

import pytest

from crmsync.core.adminbase import readable, verbatim


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b'{"a": 1}\n', '{"a": 1}\n'),
        ("Zoë 你好 🙂".encode(), "Zoë 你好 🙂"),
        (b"\x00\x1b[31m", r"\x00\x1b[31m"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"line\r\n", "line\\r\n"),
        ("\u202eevil".encode(), r"\u202eevil"),
        ("\u200b\ufeff".encode(), r"\u200b\ufeff"),
    ],
)
def test_nothing_invisible_stays_invisible(data: bytes, shown: str) -> None:
    assert readable(data) == shown


def test_markup_is_text() -> None:
    block = verbatim(b"<script>alert(1)</script>")

    assert "<script>" not in block
    assert "&lt;script&gt;" in block


def test_a_long_body_is_cut_and_says_so() -> None:
    block = verbatim(b"z" * 100_000)

    assert block.count("z") == 64 * 1024
    assert "100,000 bytes" in block


def test_nothing_is_shown_as_a_dash() -> None:
    assert verbatim(b"") == "–"
