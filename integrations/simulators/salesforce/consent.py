"""The page on which a person lets an app in: /services/oauth2/authorize."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from integrations.simulators import consent
from integrations.simulators.consent import Choice, ConsentError
from integrations.simulators.oauth import new_code
from integrations.simulators.salesforce import defaults
from integrations.simulators.salesforce.world import AppConfig, World
from integrations.simulators.wire import Reply, Request, html_reply

VENDOR = "Salesforce"
COLOURS = consent.Colours(
    ground="#f3f6f9",
    text="#16325c",
    line="#d8dde6",
    field="#c4ccd8",
    quiet="#54698d",
    brand="#0b5cab",
    button="#0b5cab",
    edge="#8094b4",
    focus="#f2a03d",
)
DEFAULT_SCOPE = "api refresh_token id"
MISMATCH = "error=redirect_uri_mismatch: redirect_uri must match configuration"


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked authorize request."""

    app: AppConfig
    redirect_uri: str
    scope: str
    state: str
    challenge: str


def authorize(world: World, request: Request) -> Reply:
    """GET shows the page; POST decision=allow|deny redirects back to the app.

    account: the organization's id; user: a user's id, by default the integration user.
    """
    try:
        ask = _read(world, request)
        if request.method != "POST":
            return html_reply(_page(world, ask))
        return _decide(world, request, ask)
    except ConsentError as error:
        page = consent.error_page(VENDOR, COLOURS, "OAuth Error", str(error))
        return html_reply(page, 400)


def _decide(world: World, request: Request, ask: Ask) -> Reply:
    form = request.form()
    if form.get("decision") not in ("allow", "connect"):
        denied = "end-user denied authorization"
        answer = {"error": "access_denied", "error_description": denied}
        return consent.back(ask.redirect_uri, ask.state, answer)
    org = world.org_with(form.get("account") or world.default_org.id)
    if org is None:
        raise ConsentError("There is no such organization.")
    user = form.get("user") or defaults.integration_user(org.spec)
    if user not in org.tables["User"].rows:
        raise ConsentError("There is no such user.")
    code = new_code(
        world,
        ask.app,
        {"org": org.pod, "user": user, "scope": ask.scope},
        redirect_uri=ask.redirect_uri,
        challenge=ask.challenge,
        prefix="aPrx",
    )
    return consent.back(ask.redirect_uri, ask.state, {"code": code})


def _read(world: World, request: Request) -> Ask:
    app = world.apps.get(request.first("client_id"))
    if app is None:
        raise ConsentError("error=invalid_client_id: client identifier invalid")
    if request.first("response_type") != "code":
        raise ConsentError("error=unsupported_response_type: use response_type=code")
    return Ask(
        app=app,
        redirect_uri=consent.checked_redirect(request, app, MISMATCH),
        scope=request.first("scope") or DEFAULT_SCOPE,
        state=request.first("state"),
        challenge=consent.checked_challenge(request),
    )


def _page(world: World, ask: Ask) -> str:
    accounts = consent.choices(
        Choice(org.id, org.spec.name, f"integration.user@{org.spec.domain}")
        for org in world.orgs.values()
    )
    scopes = "".join(
        f"<li><code>{escape(scope)}</code></li>" for scope in ask.scope.split()
    )
    host = escape(urlsplit(ask.redirect_uri).netloc)
    return consent.page(
        VENDOR,
        COLOURS,
        "Allow Access?",
        f"""<h1>Allow access?</h1>
<p><b>{escape(ask.app.name)}</b> at <b>{host}</b> is asking to:</p>
<ul>{scopes}</ul>
<form method="post"><h2>Choose an organization</h2>{accounts}
<div class="buttons">
<button name="decision" value="allow" class="main">Allow</button>
<button name="decision" value="deny">Deny</button></div></form>""",
    )
