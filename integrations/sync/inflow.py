"""Reads a CRM's pages and has them settled: links follow, mass changes are asked about.

Who drives it keeps the place after each page that comes out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from integrations.connectors.base import Connector
from integrations.models import ObjectMapping, Run
from integrations.records import Page
from integrations.sync import abreast, mass_clears, moved, pages
from integrations.sync.pages import Read
from integrations.sync.terms import Terms


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading of a CRM's records, or a slice of it.

    run_of: gives the run they are read for, asked only where a page holds anything;
    wanted: asked before each page, no is the end; deadline: the end, too (monotonic).
    """

    mapping: ObjectMapping
    connector: Connector
    terms: Terms
    run_of: Callable[[], Run]
    wanted: Callable[[], bool]
    deadline: float | None = None


@contextmanager
def settled(
    pass_: Pass, read: Read, begin: str | None, settle: abreast.Settle
) -> Iterator[Iterator[Page]]:
    """Give the pages from `begin` on, each once `settle` has had what is in it."""
    with (
        closing(pages.together(read, begin, deadline=pass_.deadline)) as found,
        closing(
            abreast.settled(_ready(pass_, found), settle, wanted=pass_.wanted)
        ) as done,
    ):
        yield done


def _ready(pass_: Pass, found: Iterable[Page]) -> Generator[Page]:
    """Yield the pages with what has to be taken in of each.

    Raises `calls.Braked` in place of a page that a person must approve first.
    """
    for page in found:
        records = moved.follow_conversions(pass_.mapping, page.records)
        if records:
            mass_clears.check(
                pass_.mapping, records, pass_.terms, pass_.connector, run=pass_.run_of()
            )
        yield replace(page, records=tuple(records))
