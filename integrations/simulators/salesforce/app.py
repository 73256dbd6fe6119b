"""The Salesforce simulator as a WSGI application."""

import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from integrations.simulators import faults
from integrations.simulators.salesforce import (
    access,
    consent,
    errors,
    identity,
    oauth,
    rest_api,
    soap_api,
)
from integrations.simulators.salesforce.access import Grant
from integrations.simulators.salesforce.bulk_jobs import Jobs
from integrations.simulators.salesforce.call import Call, Router
from integrations.simulators.salesforce.control import Control
from integrations.simulators.salesforce.routes import ROUTES
from integrations.simulators.salesforce.world import Options, World
from integrations.simulators.wire import (
    DropConnectionError,
    Reply,
    Request,
    json_reply,
    path_segments,
    wsgi_app,
)

CONTROL = "/__sim"
# Longer addresses are refused by the vendor's edge.
MOST_URI = 16_384


class SalesforceSimulator:
    """Answers as Salesforce would; `/__sim/` is the control panel."""

    name = "salesforce"

    def __init__(self, options: Options | None = None) -> None:
        self.world = World(options or Options())
        self.jobs = self.world.jobs = Jobs(self.world)
        self.control = Control(self.world)
        self._router = Router(ROUTES)
        self._wsgi = wsgi_app(self.handle)
        self._running: dict[int, float] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Be a WSGI application."""
        return self._wsgi(environ, start_response)

    def clock(self) -> float:
        """Return the vendor's clock, for the Date header."""
        return self.world.now()

    def close(self) -> None:
        """Stop background work and close the journal."""
        self.control.close()
        self.jobs.close()
        with self.world.lock:
            self.world.journal.close()

    def handle(self, request: Request) -> Reply:
        """Answer one request; raises DropConnectionError when a fault says so."""
        if request.path.startswith(CONTROL):
            return self.control.reply(request)
        if request.path == "/":
            return Reply(302, headers=[("Location", f"{CONTROL}/")])
        at, started = time.time(), time.perf_counter()
        request.template = request.path
        self._running[id(request)] = started
        rules = self.world.faults.pick(request)
        status = 0
        try:
            reply = faults.respond_with(
                rules, request, respond=self._respond, error=self._fault_reply
            )
            status = reply.status
            return reply
        except DropConnectionError:
            self._name_template(request)
            raise
        finally:
            del self._running[id(request)]
            self.world.traffic.note(
                at=at,
                ms=round((time.perf_counter() - started) * 1000, 3),
                method=request.method,
                path=request.path,
                template=request.template,
                status=status,
                inputs=request.inputs,
                caller=request.caller,
                fault=",".join(rule.kind for rule in rules),
            )

    def _name_template(self, request: Request) -> None:
        segments = path_segments(request.path)
        if segments[:2] == ["services", "data"] and len(segments) > 2:
            found = self._router.find(request.method, segments[3:])
            if found:
                request.template = f"/services/data/{segments[2]}{found[2]}"

    def _respond(self, request: Request) -> Reply:
        try:
            if len(request.path) + len(request.environ["QUERY_STRING"]) >= MOST_URI:
                return Reply(414, b"<h1>URI Too Long</h1>", content_type="text/html")
            return self._route(request, path_segments(request.path))
        except errors.ApiError as error:
            return error.reply()
        except Exception:
            # A mistake of the simulator's own: loud here, a 500 out there.
            traceback.print_exc()
            return errors.plain(500, "UNKNOWN_EXCEPTION", "An unexpected error").reply()

    def _route(self, request: Request, segments: list[str]) -> Reply:
        if segments[:2] == ["services", "oauth2"] and len(segments) == 3:
            return self._locked(lambda: self._oauth(request, segments[2]))
        if segments[:1] == ["id"] and len(segments) == 3:
            request.template = "/id/{organization}/{user}"
            world = self.world
            return self._locked(lambda: identity.identity(world, request, segments))
        if segments == [".well-known", "openid-configuration"]:
            return identity.discovery(self.world, request)
        if segments[:2] == ["services", "data"]:
            return self._data(request, segments[2:])
        if segments[:2] == ["services", "Soap"] and len(segments) in (4, 5):
            return self._locked(lambda: soap_api.reply(self.world, request, segments))
        raise errors.not_found()

    def _oauth(self, request: Request, name: str) -> Reply:
        handler = _OAUTH.get(name)
        if handler is None:
            raise errors.not_found()
        return handler(self.world, request)

    def _locked(self, act: Callable[[], Reply]) -> Reply:
        with self.world.lock:
            try:
                return act()
            finally:
                self.world.commit()

    # -- REST

    def _data(self, request: Request, segments: list[str]) -> Reply:
        if not segments:
            return json_reply(rest_api.versions())
        _check_version(segments[0])
        return self._locked(lambda: self._api(request, segments))

    def _api(self, request: Request, segments: list[str]) -> Reply:
        grant = access.authenticate(self.world, request)
        request.caller = grant.caller
        headers = access.spend(self.world, grant.org, running=self._long_requests())
        try:
            reply = self._call(request, grant, segments)
        except errors.ApiError as error:
            reply = error.reply()
        reply.headers += headers
        return reply

    def _long_requests(self) -> int:
        since = time.perf_counter() - self.world.settings.long_request_s
        return sum(started < since for started in list(self._running.values()))

    def _call(self, request: Request, grant: Grant, segments: list[str]) -> Reply:
        found = self._router.find(request.method, segments[1:])
        if found is None:
            if self._router.allows_other(request.method, segments[1:]):
                message = f"HTTP Method '{request.method}' not allowed"
                raise errors.plain(405, "METHOD_NOT_ALLOWED", message)
            raise errors.not_found()
        route, args, template = found
        request.template = f"/services/data/{segments[0]}{template}"
        call = Call(
            self.world,
            request,
            grant,
            segments[0],
            args,
            dispatch=lambda inner: self._inner(inner, grant),
        )
        return route.handler(call)

    def _inner(self, request: Request, grant: Grant) -> Reply:
        """Answer a part of a composite; its own counting is the composite's."""
        segments = path_segments(request.path)
        try:
            if segments[:2] != ["services", "data"] or len(segments) < 3:
                raise errors.not_found()
            _check_version(segments[2])
            return self._call(request, grant, segments[2:])
        except errors.ApiError as error:
            return error.reply()

    # -- faults

    def _fault_reply(self, rule: faults.FaultRule, request: Request) -> Reply:
        self._name_template(request)
        if rule.kind != "redirect" and request.path.startswith("/services/oauth2/"):
            code = rule.policy or "unknown_error"
            status = faults.ERROR_STATUS[rule.kind]
            return errors.oauth(code, "retry your request", status).reply()
        reply = _fault_reply(rule, self.world.now())
        reply.headers.append(access.limit_info(self.world, self.world.default_org))
        return reply


def _check_version(text: str) -> None:
    number = text[1:].removesuffix(".0")
    if text[:1] != "v" or not text.endswith(".0") or not number.isdigit():
        raise errors.not_found()
    if int(number) in rest_api.RETIRED:
        message = f"API version {number}.0 is retired"
        raise errors.plain(410, "410:GONE", message)
    if int(number) not in range(rest_api.OLDEST, rest_api.NEWEST + 1):
        raise errors.not_found()


def _fault_reply(rule: faults.FaultRule, now: float) -> Reply:
    if rule.kind == "redirect":
        return Reply(302, headers=[("Location", "https://elsewhere.example.com/")])
    reply = _refusal(rule).reply()
    value = faults.retry_after_value(rule, now)
    if value:
        reply.headers.append(("Retry-After", value))
    if rule.kind in ("502", "504"):
        body = faults.HTML_PAGE
        return Reply(reply.status, body, reply.headers, content_type="text/html")
    return reply


def _refusal(rule: faults.FaultRule) -> errors.ApiError:
    """Return the vendor's answer; the rule's policy may name another error code."""
    status = faults.ERROR_STATUS[rule.kind]
    if rule.policy:
        return errors.plain(status, rule.policy, f"{rule.policy} (a fault)")
    if rule.kind == "401":
        return errors.invalid_session()
    # There is no 429 here: used-up allowances are a 403.
    if rule.kind in ("403", "429"):
        return errors.limit_exceeded()
    if rule.kind == "409":
        return errors.plain(409, "ENTITY_IS_LOCKED", "the entity is locked")
    return errors.unavailable(status)


_OAUTH = {
    "authorize": consent.authorize,
    "token": oauth.token,
    "revoke": oauth.revoke,
    "introspect": oauth.introspect,
    "userinfo": identity.userinfo,
}


def build(options: Options | None = None) -> SalesforceSimulator:
    """Return a simulator; see Options."""
    return SalesforceSimulator(options)
