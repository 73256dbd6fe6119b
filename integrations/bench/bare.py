"""The floor of ingest: a bare Django view that stores one row, on the same server.

`uvicorn integrations.bench.bare:application` with DATABASE_URL. Nothing is verified,
deduplicated or queued; it only shows what Django and an INSERT cost here.
"""

from __future__ import annotations

import os

import environ
from django.conf import settings

database = dict(environ.Env.db_url_config(os.environ["DATABASE_URL"]))
database["CONN_MAX_AGE"] = 0
if "postgresql" in database["ENGINE"]:
    database["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 16}}
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": database},
    ROOT_URLCONF=__name__,
    SECRET_KEY="not used for anything",
    USE_TZ=True,
)

import django  # noqa: E402

django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Row(models.Model):
    """What is stored of a request."""

    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"
        db_table = "bare_row"

    def __str__(self) -> str:
        return f"row {self.pk}"


def take(request: HttpRequest) -> HttpResponse:
    """Store the body as it came."""
    Row(body=request.body).save(force_insert=True)
    return HttpResponse(status=202, headers={"Content-Length": "0"})


urlpatterns = [path("take/", take)]
application = get_asgi_application()
