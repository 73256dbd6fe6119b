"""Every template compiles, and the error pages need nothing to be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import RequestFactory
from django.views import defaults

FOLDER = Path(settings.BASE_DIR) / "templates"
NAMES = sorted(
    str(path.relative_to(FOLDER))
    for path in FOLDER.rglob("*")
    if path.suffix in {".html", ".txt", ".svg"}
)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(name: str) -> None:
    assert get_template(name)


def test_the_500_page_needs_no_context_and_no_database() -> None:
    answer = defaults.server_error(RequestFactory().get("/"))

    assert "Something broke on our side" in answer.content.decode()


def test_no_template_names_another_host_for_what_it_loads() -> None:
    loading = ('src="http', "src='http", 'rel="stylesheet" href="http', "@import")
    guilty = [
        name
        for name in NAMES
        for words in loading
        if words in (FOLDER / name).read_text(errors="replace")
    ]

    assert guilty == []


def test_no_template_has_an_inline_script_or_handler() -> None:
    handlers = ("<script>", " onclick=", " onchange=", " onsubmit=", "javascript:")
    guilty = [
        name
        for name in NAMES
        for words in handlers
        if words in (FOLDER / name).read_text(errors="replace")
    ]

    assert guilty == []
