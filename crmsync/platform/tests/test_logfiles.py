"""Log files move aside when they are large; their end can be read."""

from __future__ import annotations

import json

from crmsync.platform.logfiles import last_lines, rotate


def test_a_large_file_moves_aside_and_the_oldest_goes(tmp_path) -> None:
    log = tmp_path / "web.log"
    for text in ("one", "two", "three", "four"):
        log.write_text(text)
        rotate(log, max_bytes=1, keep=2)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "web.log.1",
        "web.log.2",
    ]
    assert (tmp_path / "web.log.1").read_text() == "four"
    assert (tmp_path / "web.log.2").read_text() == "three"


def test_a_small_file_stays(tmp_path) -> None:
    log = tmp_path / "web.log"
    log.write_text("one")

    rotate(log, max_bytes=100, keep=2)

    assert log.read_text() == "one"


def test_a_structured_line_is_shown_as_words_and_the_end_of_its_traceback(
    tmp_path,
) -> None:
    log = tmp_path / "web.log"
    trace = "\n".join(
        [*(f"  File {n}" for n in range(50)), "ValueError: no such thing"]
    )
    log.write_text(json.dumps({"event": "request_failed", "exception": trace}) + "\n")

    shown = last_lines(log)

    assert shown.startswith("request_failed\n")
    assert shown.endswith("ValueError: no such thing")
    assert "File 1\n" not in shown


def test_the_end_of_a_file_is_given_even_when_it_is_not_text(tmp_path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"first\n\xff\xfe broken\nlast\n")

    assert last_lines(log, count=1) == "last"
    assert "first" in last_lines(log)
    assert last_lines(tmp_path / "none.log") == "(it wrote nothing)"
