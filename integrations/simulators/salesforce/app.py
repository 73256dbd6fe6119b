"""The Salesforce simulator as a WSGI application."""

import time

from integrations.simulators import app, faults
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
from integrations.simulators.wire import Reply, Request, json_reply, path_segments

# Longer addresses are refused by the vendor's edge.
MOST_URI = 16_384


class SalesforceSimulator(app.Simulator):
    """Answers as Salesforce would."""

    def __init__(self, options: Options | None = None) -> None:
        self.world = World(options or Options())
        self.world.jobs = Jobs(self.world)
        super().__init__(self.world, Control(self.world))
        self._router = Router(ROUTES)
        self._running: dict[int, float] = {}

    def under(self, rules: list[faults.FaultRule], request: Request) -> Reply:
        """Answer under these faults, counted among the requests that run."""
        self._running[id(request)] = time.perf_counter()
        try:
            return super().under(rules, request)
        finally:
            del self._running[id(request)]

    def template_of(self, request: Request) -> str:
        """Return the template of a path that is not answered, or the path."""
        segments = path_segments(request.path)
        if segments[:2] == ["services", "data"] and len(segments) > 2:
            found = self._router.find(request.method, segments[3:])
            if found:
                return f"/services/data/{segments[2]}{found[2]}"
        return request.path

    def answer(self, request: Request, segments: list[str]) -> Reply:
        """Answer a request to the vendor's API; raises ApiError."""
        if len(request.path) + len(request.environ["QUERY_STRING"]) >= MOST_URI:
            return Reply(414, b"<h1>URI Too Long</h1>", content_type="text/html")
        if segments[:2] == ["services", "oauth2"] and len(segments) == 3:
            return self.locked(lambda: self._oauth(request, segments[2]))
        if segments[:1] == ["id"] and len(segments) == 3:
            request.template = "/id/{organization}/{user}"
            world = self.world
            return self.locked(lambda: identity.identity(world, request, segments))
        if segments == [".well-known", "openid-configuration"]:
            return identity.discovery(self.world, request)
        if segments[:2] == ["services", "data"]:
            return self._data(request, segments[2:])
        if segments[:2] == ["services", "Soap"] and len(segments) in (4, 5):
            return self.locked(lambda: soap_api.reply(self.world, request, segments))
        raise errors.not_found()

    def _oauth(self, request: Request, name: str) -> Reply:
        handler = _OAUTH.get(name)
        if handler is None:
            raise errors.not_found()
        return handler(self.world, request)

    # -- REST

    def _data(self, request: Request, segments: list[str]) -> Reply:
        if not segments:
            return json_reply(rest_api.versions())
        _check_version(segments[0])
        return self.locked(lambda: self._api(request, segments))

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

    def fault_reply(self, rule: faults.FaultRule, request: Request) -> Reply:
        """Return what a fault answers; the login host has words of its own."""
        if rule.kind != "redirect" and request.path.startswith("/services/oauth2/"):
            code = rule.policy or "unknown_error"
            status = faults.ERROR_STATUS[rule.kind]
            return errors.oauth(code, "retry your request", status).reply()
        reply = super().fault_reply(rule, request)
        reply.headers.append(access.limit_info(self.world, self.world.default_org))
        return reply

    def refusal(self, rule: faults.FaultRule) -> errors.ApiError:
        """Return Salesforce's own error; the rule's policy may name another code."""
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

    def mistake(self) -> errors.ApiError:
        """Return Salesforce's error for a mistake of its own."""
        return errors.plain(500, "UNKNOWN_EXCEPTION", "An unexpected error")


def _check_version(text: str) -> None:
    number = text[1:].removesuffix(".0")
    if text[:1] != "v" or not text.endswith(".0") or not number.isdigit():
        raise errors.not_found()
    if int(number) in rest_api.RETIRED:
        message = f"API version {number}.0 is retired"
        raise errors.plain(410, "410:GONE", message)
    if int(number) not in range(rest_api.OLDEST, rest_api.NEWEST + 1):
        raise errors.not_found()


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
