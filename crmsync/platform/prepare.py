"""Makes the database, the pages' files and, for a demo, its data what they must be.

One process for all three: each `manage.py` would spend two seconds on starting.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from crmsync.platform.fingerprint import fingerprint


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
    """Return a text that changes when a static file of ours or a library does."""
    ours = fingerprint(Path(folder) for folder in settings.STATICFILES_DIRS)
    lock = (settings.BASE_DIR / "requirements.txt").read_bytes()
    storage = str(settings.STORAGES["staticfiles"])
    return f"{ours} {hashlib.sha256(lock).hexdigest()} {storage}"


if __name__ == "__main__":
    main()
