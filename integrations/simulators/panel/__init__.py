"""The control panel as a page for the browser; it only uses the JSON beside it."""

from functools import cache
from html import escape
from pathlib import Path

from integrations.simulators.faults import KINDS

_HERE = Path(__file__).parent


@cache
def page(title: str) -> str:
    """Return the panel."""
    kinds = "".join(f"<option>{escape(kind)}</option>" for kind in sorted(KINDS))
    parts = {
        "title": escape(title),
        "kinds": kinds,
        "style": _read("page.css"),
        "script": _read("page.js"),
    }
    shown = _read("page.html")
    for name, text in parts.items():
        shown = shown.replace(f"{{{{{name}}}}}", text)
    return shown


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
