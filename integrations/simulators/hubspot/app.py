"""The HubSpot simulator as a WSGI application."""

import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from integrations.simulators import faults
from integrations.simulators.hubspot import access, consent, errors, forms_api, oauth
from integrations.simulators.hubspot.call import Call, Route, Router
from integrations.simulators.hubspot.control import Control
from integrations.simulators.hubspot.routes import ROUTES
from integrations.simulators.hubspot.webhooks import Webhooks
from integrations.simulators.hubspot.webhooks_api import WebhooksApi
from integrations.simulators.hubspot.world import Options, World
from integrations.simulators.wire import (
    DropConnectionError,
    Json,
    Reply,
    Request,
    path_segments,
    wsgi_app,
)

CONTROL = "/__sim"
WEBHOOKS = (["webhooks"], ["app-webhooks"])


class HubSpotSimulator:
    """Answers as HubSpot would; `/__sim/` is the control panel."""

    name = "hubspot"

    def __init__(self, options: Options | None = None) -> None:
        self.world = World(options or Options())
        self.webhooks = Webhooks(self.world)
        self._webhooks_api = WebhooksApi(self.world, self.webhooks)
        self.control = Control(self.world, self.webhooks, self._webhooks_api)
        self._router = Router(ROUTES)
        self._wsgi = wsgi_app(self.handle)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Be a WSGI application."""
        return self._wsgi(environ, start_response)

    def clock(self) -> float:
        """Return the vendor's clock, for the Date header."""
        return self.world.now()

    def close(self) -> None:
        """Stop background work and close the journal."""
        self.webhooks.close()
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
        found = self._router.find(request.method, path_segments(request.path))
        if found:
            request.template = found[2]

    def _respond(self, request: Request) -> Reply:
        try:
            segments = path_segments(request.path)
            if segments[:1] == ["oauth"] and len(segments) >= 2:
                return self._locked(lambda: self._oauth(request, segments))
            if segments[:1] in WEBHOOKS and len(segments) >= 4:
                return self._locked(lambda: self._manage_webhooks(request, segments))
            if segments[:1] == ["submissions"]:
                return self._locked(lambda: self._submit(request, segments))
            return self._api(request, segments)
        except errors.ApiError as error:
            return error.reply()
        except Exception:
            # A mistake of the simulator's own: loud here, a 500 out there.
            traceback.print_exc()
            return errors.ApiError(500, _internal_error()).reply()

    def _oauth(self, request: Request, segments: list[str]) -> Reply:
        if segments[-1] == "authorize" and len(segments) <= 3:
            request.template = "/oauth/authorize"
            return consent.authorize(self.world, request, segments)
        request.template = "/" + "/".join(segments[:3])
        reply = oauth.oauth_reply(self.world, request, segments)
        if reply is None:
            raise errors.not_found()
        return reply

    def _submit(self, request: Request, segments: list[str]) -> Reply:
        secure = segments[3:4] == ["secure"]
        if secure:
            access.authenticate(self.world, request)
        path = "secure/submit" if secure else "submit"
        request.template = f"/submissions/v3/integration/{path}/{{portalId}}/{{guid}}"
        reply = forms_api.submit_route(self.world, request, segments)
        if reply is None:
            raise errors.not_found()
        return reply

    def _manage_webhooks(self, request: Request, segments: list[str]) -> Reply:
        request.template = f"/{segments[0]}/{segments[1]}/{{appId}}/{segments[3]}"
        return self._webhooks_api.reply(request, segments)

    def _locked(self, act: Callable[[], Reply]) -> Reply:
        with self.world.lock:
            try:
                return act()
            finally:
                self.world.commit()

    def _api(self, request: Request, segments: list[str]) -> Reply:
        found = self._router.find(request.method, segments)
        if found is None:
            raise errors.not_found()
        route, args, request.template = found
        return self._locked(lambda: self._call(request, route, args))

    def _call(self, request: Request, route: Route, args: list[str]) -> Reply:
        grant = access.authenticate(self.world, request)
        request.caller = grant.caller
        headers = access.spend(self.world, grant, search=route.search)
        call = Call(self.world, grant.portal, request, grant, args)
        try:
            for scopes in route.scopes(call):
                grant.require_any(scopes)
            reply = route.handler(call)
        except errors.ApiError as error:
            reply = error.reply()
        reply.headers += headers
        return reply

    def _fault_reply(self, rule: faults.FaultRule, request: Request) -> Reply:
        self._name_template(request)
        return _fault_reply(rule, self.world.now())


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
    status = faults.ERROR_STATUS[rule.kind]
    known: dict[str, Callable[[], errors.ApiError]] = {
        "401": errors.expired_token,
        "403": lambda: errors.missing_scopes(["crm.objects.contacts.read"]),
        "409": lambda: errors.already_exists("Contact", None),
        "429": lambda: errors.rate_limited(rule.policy or "TEN_SECONDLY_ROLLING", []),
    }
    if rule.kind in known:
        return known[rule.kind]()
    return errors.ApiError(status, _internal_error())


def _internal_error() -> Json:
    return {
        "status": "error",
        "message": "internal error",
        "correlationId": "00000000-0000-4000-8000-000000000000",
    }


def build(options: Options | None = None) -> HubSpotSimulator:
    """Return a simulator; see Options."""
    return HubSpotSimulator(options)
