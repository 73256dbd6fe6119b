"""Makes the database, the pages' files and, for a demo, its data what they must be.

One process for all three: each `manage.py` would spend two seconds on starting.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command


def main() -> None:
    """Migrate, collect static files where they changed, and seed with `--demo`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    collect_static()
    if "--demo" in sys.argv[1:]:
        call_command("seed_demo")


def collect_static() -> None:
    """Run `collectstatic` unless the files are those of the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    wanted = static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)


def static_fingerprint() -> str:
    """Return a text that changes when a static file of ours or a library's does."""
    digest = hashlib.sha256()
    for line in _static_facts():
        digest.update(line.encode())
    return digest.hexdigest()


def _static_facts() -> Iterator[str]:
    yield (settings.BASE_DIR / "requirements.txt").read_text()
    yield str(settings.STORAGES["staticfiles"])
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            facts = path.stat()
            yield f"{path}|{facts.st_size}|{facts.st_mtime_ns}\n"


if __name__ == "__main__":
    main()
