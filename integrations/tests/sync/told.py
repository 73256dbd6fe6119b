"""What a CRM's own webhooks tell, kept until a test lets it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone
from pytest_httpserver import HTTPServer

from integrations.models import Endpoint
from integrations.simulators.testing import CLIENT_SECRET, RunningSimulator, wait_until
from integrations.sync import hints
from integrations.webhooks import inbox
from integrations.webhooks.base import RawRequest
from integrations.webhooks.endpoints import look_up
from integrations.webhooks.envelope import judge
from integrations.webhooks.ingest import new_trace_id
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.store import Row, store

PATH = "/webhooks/of-a-crm/"
SECRET = "secret of the relay"


@dataclass(slots=True)
class Post:
    """Carries the simulator's signed requests to an endpoint, when and as told.

    waiting: requests that arrived and were not carried on.
    """

    endpoint: Endpoint
    simulator: RunningSimulator
    server: HTTPServer
    seen: int = 0
    waiting: list[RawRequest] = field(default_factory=list)

    def subscribe(self, names: Iterable[str]) -> None:
        """Let changes of these properties of contacts be told."""
        self.server.expect_request(PATH, method="POST").respond_with_data("")
        told = [f"contact.propertyChange:{one}" for one in names]
        self.simulator.set_webhooks(self.server.url_for(PATH), told)

    def subscribe_to_events(self) -> None:
        """Let a relay of Salesforce post every change, each by itself."""
        self.server.expect_request(PATH, method="POST").respond_with_data("")
        headers = {"X-Crmsync-Secret": SECRET}
        target = {"url": self.server.url_for(PATH), "batch": 1, "headers": headers}
        self.simulator.control("POST", "events", target)

    def collect(self) -> list[RawRequest]:
        """Wait for all that is told; return what came, in the order it was told."""
        wait_until(lambda: self.simulator.webhooks()["waiting"] == 0)
        log = self.server.log[self.seen :]
        self.seen += len(log)
        self.waiting += [
            RawRequest(
                "POST",
                {name.lower(): value for name, value in request.headers},
                request.get_data(),
                timezone.now(),
                self.server.url_for(PATH),
            )
            for request, _ in log
        ]
        return self.waiting

    def lose(self) -> None:
        """Let what was told so far never arrive."""
        self.collect().clear()

    def carry(self, requests: Iterable[RawRequest]) -> None:
        """Verify and store requests as the ingest does, and read what is in them."""
        store([self._row(one) for one in requests])
        inbox.process_due(hints.take)

    def bring(self) -> None:
        """Carry on all that was told, in its order."""
        requests = list(self.collect())
        self.waiting.clear()
        self.carry(requests)

    def _row(self, request: RawRequest) -> Row:
        known = look_up(self.endpoint.token_digest)
        assert known is not None
        assert known.secrets in {(CLIENT_SECRET,), (SECRET,)}
        key = judge(
            SOURCES[self.endpoint.source],
            known.secrets,
            request,
            now=request.received_at,
            account=known.account,
        )
        return Row(
            endpoint=known,
            received_at=request.received_at,
            method=request.method,
            headers=dict(request.headers),
            body=request.body,
            size=len(request.body),
            dedupe_key=key,
            trace_id=new_trace_id(),
        )
