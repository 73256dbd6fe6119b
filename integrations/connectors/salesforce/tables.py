"""Rows as CSV, out and back, for bulk jobs.

PURE. BULK: an empty cell leaves a field as it is, #N/A clears it. The order of results
is not that of the upload, so each row is known by its key.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from integrations.connectors.salesforce.answers import Sent

CLEAR = "#N/A"
ID, CREATED, ERROR = "sf__Id", "sf__Created", "sf__Error"


def key_column(batch: Sequence[Sent]) -> str:
    """Return the column that rows are known by."""
    return batch[0].key_field or "Id"


def key_of(sent: Sent) -> str:
    """Return what a row is known by."""
    return sent.key_value if sent.key_field else sent.target


def written(batch: Sequence[Sent]) -> bytes:
    """Return the rows of one kind of write as CSV."""
    key = key_column(batch)
    columns = list(dict.fromkeys(name for one in batch for name in one.body))
    columns = [key, *(name for name in columns if name != key)]
    out = io.StringIO(newline="")
    # All in quotation marks: a lone carriage return would end a row otherwise.
    table = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerow(columns)
    for one in batch:
        cells = {name: _cell(text) for name, text in one.body.items()}
        cells[key] = key_of(one)
        table.writerow([cells.get(name, "") for name in columns])
    return out.getvalue().encode("utf-8", "replace")


def fitting(batch: Sequence[Sent], room: int) -> Iterator[list[Sent]]:
    """Yield runs of a batch whose values take at most so many bytes."""
    run: list[Sent] = []
    used = 0
    for one in batch:
        texts = (text or CLEAR for text in one.body.values())
        # Three for the quotation marks and the comma of each cell.
        size = sum(len(text.encode("utf-8", "replace")) + 3 for text in texts) + 80
        if run and used + size > room:
            yield run
            run, used = [], 0
        run.append(one)
        used += size
    if run:
        yield run


def rows(content: bytes) -> Iterable[Mapping[str, str]]:
    """Return the rows of a result, each as column -> text; NULs are dropped."""
    text = content.decode("utf-8", "replace").replace("\x00", "")
    # A field may have 32,000 characters, which the module's default allows.
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    return [
        {name: value for name, value in row.items() if isinstance(value, str)}
        for row in reader
    ]


def _cell(text: str | None) -> str:
    return CLEAR if text is None else text.replace("\x00", "")
