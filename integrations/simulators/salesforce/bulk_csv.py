"""The CSV of bulk jobs, in and out."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from integrations.simulators.salesforce.errors import bad_request
from integrations.simulators.wire import Json

DELIMITERS = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
NOTHING = "#N/A"


def parse(data: bytes, delimiter: str) -> tuple[list[str], list[list[str]]]:
    """Return (header, rows); raises a 400."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_request("INVALIDBATCH", f"not UTF-8: {error}") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter])
    rows = [row for row in lines if row]
    return (rows[0], rows[1:]) if rows else ([], [])


def record(header: list[str], row: list[str]) -> Json:
    """Return a row as a body would say it: empty = unchanged, #N/A = cleared."""
    found: Json = {}
    for name, value in zip(header, row, strict=False):
        if value == "":
            continue
        stored = None if value == NOTHING else value
        relation, _, key = name.partition(".")
        if key:
            found[relation] = {key: stored}
        else:
            found[name] = stored
    return found


def write(header: Iterable[str], rows: Iterable[Iterable[Any]], job: Json) -> bytes:
    """Return a CSV in a job's own dialect, every value quoted."""
    out = io.StringIO()
    ending = "\r\n" if job.get("lineEnding") == "CRLF" else "\n"
    delimiter = DELIMITERS[job.get("columnDelimiter", "COMMA")]
    writer = csv.writer(
        out, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL
    )
    writer.writerow(header)
    writer.writerows([shown(value) for value in row] for row in rows)
    return out.getvalue().encode()


def shown(value: Any) -> str:
    """Return a value as a bulk result writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(".000+0000", ".000Z")
