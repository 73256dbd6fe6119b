"""The pages' own files under ASGI: whole, in part, unchanged, and without warnings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from crmsync.platform import ports
from crmsync.platform.programs import accepts
from crmsync.platform.supervisor import Program, Supervisor
from crmsync.platform.venv import ROOT

# The middleware and the storage as in production, without the rest of the product.
SERVED = """
from django.conf import settings
from django.core.asgi import get_asgi_application
settings.configure(
    ALLOWED_HOSTS=["*"], STATIC_URL="/static/", STATIC_ROOT={root!r},
    MIDDLEWARE=["crmsync.platform.static.StaticFilesMiddleware"], ROOT_URLCONF=__name__,
    WHITENOISE_AUTOREFRESH=False,
)
urlpatterns = []
application = get_asgi_application()
"""
STYLE = "body { color: teal }\n" * 1000


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """Serve one style sheet by uvicorn; give its address and the server's log."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "files").mkdir()
    (folder / "files" / "app.css").write_text(STYLE)
    (folder / "served.py").write_text(SERVED.format(root=str(folder / "files")))
    port = ports.any_free()
    server = [sys.executable, "-W", "always", "-m", "uvicorn", "served:application"]
    supervisor = Supervisor(
        log_dir=folder,
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{ROOT}", "PATH": os.environ["PATH"]},
    )
    try:
        web = [*server, f"--port={port}"]
        supervisor.start(Program("web", web, is_ready=lambda: accepts(port)))
        supervisor.wait_until_ready("web")
        yield f"http://127.0.0.1:{port}/static/app.css", folder / "web.log"
    finally:
        supervisor.stop()


def test_a_file_comes_whole_and_without_a_warning(site) -> None:
    url, log = site

    answer = requests.get(url, timeout=5)

    assert answer.text == STYLE
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "Warning" not in log.read_text()


def test_a_part_of_a_file_is_that_part(site) -> None:
    answer = requests.get(site[0], headers={"Range": "bytes=0-3"}, timeout=5)

    assert (answer.status_code, answer.text) == (206, "body")


def test_a_file_the_browser_has_is_not_sent_again(site) -> None:
    first = requests.get(site[0], timeout=5)

    again = requests.get(
        site[0], headers={"If-None-Match": first.headers["ETag"]}, timeout=5
    )

    assert (again.status_code, again.content) == (304, b"")


def test_head_sends_no_body(site) -> None:
    answer = requests.head(site[0], timeout=5)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(STYLE))


def test_collected_files_are_stamped_and_collected_once(tmp_path) -> None:
    code = (
        "import django; django.setup()\n"
        "from crmsync.platform.prepare import collect_static\n"
        "from django.core.management import call_command\n"
        "import crmsync.platform.prepare as prepare\n"
        "runs = []\n"
        "def counted(name, **options):\n"
        "    runs.append(name); call_command(name, **options)\n"
        "prepare.call_command = counted\n"
        "collect_static(); collect_static(); print(len(runs))"
    )
    env = {
        **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL",)},
        "DJANGO_SETTINGS_MODULE": "crmsync.settings",
        "CRMSYNC_DATA": str(tmp_path),
    }

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
    )

    assert done.stdout.strip() == "1", done.stderr
    assert (tmp_path / "static" / "staticfiles.json").exists()
