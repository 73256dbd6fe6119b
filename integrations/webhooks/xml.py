"""Reads XML that nobody promised to keep harmless: no document type, no entities.

PURE. Built on the standard library's expat, since it can refuse a document type before
anything in it has been read; a tree parser only tells afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from integrations.webhooks.base import Malformed

MAX_DEPTH = 50
MAX_ELEMENTS = 200_000


@dataclass(slots=True)
class Element:
    """An element; names are without namespaces and prefixes.

    attributes: name -> value; text: what stands in it directly.
    """

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of this name."""
        return (one for one in self.children if one.name == name)

    def find(self, *path: str) -> Element | None:
        """Return the first element at a path of names, None without one."""
        found: Element | None = self
        for name in path:
            found = next(found.all(name), None) if found else None
        return found

    def text_at(self, *path: str, limit: int = 1000) -> str:
        """Return the stripped text at a path, "" without it."""
        found = self.find(*path)
        return found.text.strip()[:limit] if found else ""


def read_xml(body: bytes) -> Element:
    """Return the root of a document in UTF-8.

    Raises Malformed when it is not well-formed, has a document type, is nested too deep
    or has too many elements.
    """
    reader = _Reader()
    parser = expat.ParserCreate(encoding="UTF-8", namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.take
    try:
        parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        raise Malformed(f"The body is not XML: {error}.") from None
    return reader.root.children[0]


def _refuse_doctype(*_: object) -> None:
    raise Malformed("The XML has a document type, which is never needed here.")


class _Reader:
    """Builds the tree while expat reads."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self._open = [self.root]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Malformed(f"The XML has more than {MAX_ELEMENTS} elements.")
        if len(self._open) > MAX_DEPTH:
            raise Malformed(f"The XML is nested deeper than {MAX_DEPTH} levels.")
        named = {_local(one): value for one, value in attributes.items()}
        element = Element(_local(name), named)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def take(self, text: str) -> None:
        self._texts[-1].append(text)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
