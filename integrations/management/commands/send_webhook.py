"""`manage.py send_webhook`: posts a golden payload as its source would."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django_scopes import scopes_disabled

from integrations.models import Endpoint
from integrations.webhooks import samples
from integrations.webhooks.base import RawRequest
from integrations.webhooks.endpoints import secrets_of
from integrations.webhooks.sources import SOURCES

DEMO_WORKSPACE = "demo"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a payload goes; secret and account "" where there is none."""

    token: str
    secret: str = ""
    account: str = ""


class Command(BaseCommand):
    """Post a golden payload, signed if its source signs, and print the answer."""

    # A payload can be posted whatever else is wrong with this checkout.
    requires_system_checks = ()
    help = "Post a golden payload to a webhook endpoint, as its source would."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("source", help=f"one of: {', '.join(samples.sources())}")
        parser.add_argument("case", help="a payload, e.g. reply_interested")
        parser.add_argument("--endpoint", help="the name of the endpoint to post to")
        parser.add_argument("--token", help="the token of its address, instead")
        parser.add_argument("--workspace", help="slug of the workspace to look in")
        parser.add_argument(
            "--url", default=settings.PUBLIC_URL, help="where the product runs"
        )
        parser.add_argument("--count", type=int, default=1, help="how often")
        parser.add_argument(
            "--unique",
            action="store_true",
            help="another person and message each time, written now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Post and print; one line per answer."""
        source, case = options["source"], options["case"]
        body = _body(source, case)
        if options["unique"] and SOURCES[source].vendor:
            raise CommandError(f"There is nobody in the payloads of {source} to vary.")
        target = _target(source, options)
        url = f"{options['url'].rstrip('/')}/webhooks/{target.token}/"
        for _ in range(options["count"]):
            sent, now = body, datetime.now(UTC)
            if options["unique"]:
                sent = samples.varied(body, salt=secrets.token_hex(8), now=now)
            if target.account:
                sent = samples.for_account(source, sent, target.account)
            headers = _headers(source, target, sent, now)
            self.stdout.write(_post(url, sent, headers))


def _body(source: str, case: str) -> bytes:
    known = samples.cases(source) if source in samples.sources() else []
    if not known:
        words = f"There is no source named {source}. Known: "
        raise CommandError(words + ", ".join(samples.sources()))
    if case not in known:
        words = f"{source} has no payload named {case}. Known: "
        raise CommandError(words + ", ".join(known))
    return samples.body_of(source, case)


def _target(source: str, options: dict[str, Any]) -> Target:
    with scopes_disabled():
        endpoint = _endpoint(source, options)
    if endpoint is None:
        return Target(options["token"])
    known = secrets_of(endpoint)
    if SOURCES[source].signs and not known:
        words = f"The endpoint {endpoint.name} has no signing secret yet."
        raise CommandError(words)
    connection = endpoint.connection
    account = connection.account_id if connection else ""
    return Target(endpoint.token, next(iter(known), ""), account)


def _headers(source: str, target: Target, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of the source; it knows the product by its public address."""
    xml = body.startswith(b"<")
    headers = {"content-type": "text/xml" if xml else "application/json"}
    if not target.secret:
        return headers
    address = f"{settings.PUBLIC_URL}/webhooks/{target.token}/"
    request = RawRequest("POST", headers, body, now, address)
    return headers | SOURCES[source].sign(request, target.secret)


def _endpoint(source: str, options: dict[str, Any]) -> Endpoint | None:
    """Return the endpoint; None when only a token of an unknown one was given."""
    active = Endpoint.objects.filter(active=True)
    active = active.select_related("workspace", "connection")
    if options["token"]:
        digest = Endpoint.digest_of(options["token"])
        return active.filter(token_digest=digest).first()
    fitting = active.filter(source=source).order_by("pk")
    if options["endpoint"]:
        fitting = fitting.filter(name=options["endpoint"])
    if options["workspace"]:
        fitting = fitting.filter(workspace__slug=options["workspace"])
    found = list(fitting)
    in_demo = [one for one in found if one.workspace.slug == DEMO_WORKSPACE]
    if not found:
        words = f"No active endpoint for {source} fits. Make one under Webhooks"
        demo = "." if SOURCES[source].vendor else ", or start bin/demo, which has one."
        raise CommandError(words + demo)
    return (in_demo or found)[0]


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    """Return the answer's status and body as a line."""
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return f"{answer.status} {_short(answer.read())}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {_short(error.read())}"
    except (OSError, ValueError) as error:
        base = url.partition("/webhooks/")[0]
        words = f"Nothing answers at {base} ({error}). Is the product running? "
        raise CommandError(words + "Give another address with --url.") from None


def _short(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        return body[:500].decode(errors="replace")
