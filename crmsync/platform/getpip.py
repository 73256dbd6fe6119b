"""Fetches pip itself from the package index, for a Python that came without it."""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import urllib.request
from pathlib import Path
from urllib.parse import urldefrag, urljoin

_DEFAULT_INDEX = "https://pypi.org/simple"
_CONFIG_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
_WHEEL = re.compile(r'href="([^"]*/?pip-(\d[\d.]*)-py3-none-any\.whl#sha256=\w+)"')
_TIMEOUT_S = 60


def fetch_pip(folder: Path) -> Path:
    """Download the newest pip into `folder` and return the wheel.

    `python <wheel>/pip install ...` runs it. Raises OSError when the index does not
    answer and ValueError when what it sends is not what it announced.
    """
    page_url = f"{index_url().rstrip('/')}/pip/"
    link = newest_wheel(_get(page_url).decode("utf-8", errors="replace"))
    url, fragment = urldefrag(urljoin(page_url, link))
    content = _get(url)
    if hashlib.sha256(content).hexdigest() != fragment.removeprefix("sha256="):
        raise ValueError(f"{url} is not the file its index announced")
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / Path(url).name
    wheel.write_bytes(content)
    return wheel


def newest_wheel(page: str) -> str:
    """Return the link to the highest released version on an index page.

    >>> row = '<a href="../x/pip-{0}-py3-none-any.whl#sha256=ab">pip</a>'
    >>> newest_wheel(row.format("9.0.1") + row.format("25.3") + row.format("25.1.1"))
    '../x/pip-25.3-py3-none-any.whl#sha256=ab'
    """
    found = _WHEEL.findall(page)
    if not found:
        raise ValueError("the package index lists no pip")
    return str(max(found, key=lambda hit: [int(n) for n in hit[1].split(".")])[0])


def index_url() -> str:
    """Return the package index this machine is set up to use."""
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        if os.environ.get(name):
            return os.environ[name]
    config = configparser.ConfigParser(interpolation=None)
    files = [*_CONFIG_FILES, os.environ.get("PIP_CONFIG_FILE", os.devnull)]
    config.read([Path(name).expanduser() for name in files])
    return config.get("global", "index-url", fallback=_DEFAULT_INDEX)


def _get(url: str) -> bytes:
    if not url.startswith(("https://", "http://", "file://")):
        raise ValueError(f"{url} is not an address of a package index")
    request = urllib.request.Request(url, headers={"Accept": "text/html"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content
