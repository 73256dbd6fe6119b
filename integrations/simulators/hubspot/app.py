"""The HubSpot simulator as a WSGI application."""

from integrations.simulators import app, faults
from integrations.simulators.hubspot import access, consent, errors, forms_api, oauth
from integrations.simulators.hubspot.call import Call, Route, Router
from integrations.simulators.hubspot.control import Control
from integrations.simulators.hubspot.routes import ROUTES
from integrations.simulators.hubspot.webhooks import Webhooks
from integrations.simulators.hubspot.webhooks_api import WebhooksApi
from integrations.simulators.hubspot.world import Options, World
from integrations.simulators.wire import Reply, Request, path_segments

WEBHOOKS = (["webhooks"], ["app-webhooks"])


class HubSpotSimulator(app.Simulator):
    """Answers as HubSpot would."""

    def __init__(self, options: Options | None = None) -> None:
        self.world = World(options or Options())
        self.webhooks = Webhooks(self.world)
        self._webhooks_api = WebhooksApi(self.world, self.webhooks)
        control = Control(self.world, self.webhooks, self._webhooks_api)
        super().__init__(self.world, control)
        self._router = Router(ROUTES)

    def template_of(self, request: Request) -> str:
        """Return the template of a path that is not answered, or the path."""
        found = self._router.find(request.method, path_segments(request.path))
        return found[2] if found else request.path

    def answer(self, request: Request, segments: list[str]) -> Reply:
        """Answer a request to the vendor's API; raises ApiError."""
        if segments[:1] == ["oauth"] and len(segments) >= 2:
            return self.locked(lambda: self._oauth(request, segments))
        if segments[:1] in WEBHOOKS and len(segments) >= 4:
            return self.locked(lambda: self._manage_webhooks(request, segments))
        if segments[:1] == ["submissions"]:
            return self.locked(lambda: self._submit(request, segments))
        return self._api(request, segments)

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

    def _api(self, request: Request, segments: list[str]) -> Reply:
        found = self._router.find(request.method, segments)
        if found is None:
            raise errors.not_found()
        route, args, request.template = found
        return self.locked(lambda: self._call(request, route, args))

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

    def refusal(self, rule: faults.FaultRule) -> errors.ApiError:
        """Return HubSpot's own error for a fault."""
        if rule.kind == "401":
            return errors.expired_token()
        if rule.kind == "403":
            return errors.missing_scopes(["crm.objects.contacts.read"])
        if rule.kind == "409":
            return errors.already_exists("Contact", None)
        if rule.kind == "429":
            return errors.rate_limited(rule.policy or "TEN_SECONDLY_ROLLING", [])
        return errors.internal(faults.ERROR_STATUS[rule.kind])

    def mistake(self) -> errors.ApiError:
        """Return HubSpot's error for a mistake of its own."""
        return errors.internal(500)


def build(options: Options | None = None) -> HubSpotSimulator:
    """Return a simulator; see Options."""
    return HubSpotSimulator(options)
