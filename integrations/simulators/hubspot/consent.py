"""The page on which a person lets an app into an account: /oauth/authorize."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from integrations.simulators import consent
from integrations.simulators.consent import Choice, ConsentError
from integrations.simulators.hubspot import oauth
from integrations.simulators.hubspot.world import AppConfig, World
from integrations.simulators.oauth import new_code
from integrations.simulators.wire import Reply, Request, html_reply

VENDOR = "HubSpot"
COLOURS = consent.Colours(
    ground="#f5f8fa",
    text="#213343",
    line="#dfe3eb",
    field="#cbd6e2",
    quiet="#516f90",
    brand="#c4401c",
    button="#b93b14",
    edge="#7c98b6",
    focus="#00a4bd",
)
MISMATCH = "redirect_uri does not match one of the app's addresses."
NO_ACCESS = "You do not have access to that account."


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked authorize request. pinned: the only account offered, 0 = any."""

    app: AppConfig
    redirect_uri: str
    scopes: list[str]
    optional: list[str]
    state: str
    challenge: str
    pinned: int


def authorize(world: World, request: Request, segments: list[str]) -> Reply:
    """GET shows the page; POST decision=connect|cancel redirects back to the app."""
    try:
        ask = _read(world, request, segments)
        if request.method != "POST":
            return html_reply(_page(world, ask))
        return _decide(world, request, ask)
    except ConsentError as error:
        title = "Authorization failed"
        return html_reply(consent.error_page(VENDOR, COLOURS, title, str(error)), 400)


def _decide(world: World, request: Request, ask: Ask) -> Reply:
    form = request.form()
    if form.get("decision") != "connect":
        denied = "The user denied access to the application"
        answer = {"error": "access_denied", "error_description": denied}
        return consent.back(ask.redirect_uri, ask.state, answer)
    hub_id = int(form.get("account") or ask.pinned or world.default_portal.hub_id)
    if hub_id not in world.portals or (ask.pinned and hub_id != ask.pinned):
        raise ConsentError(NO_ACCESS)
    scopes = list(dict.fromkeys([*ask.scopes, *ask.optional]))
    code = new_code(
        world,
        ask.app,
        {"hub_id": hub_id, "scopes": scopes},
        redirect_uri=ask.redirect_uri,
        challenge=ask.challenge,
    )
    return consent.back(ask.redirect_uri, ask.state, {"code": code})


def _read(world: World, request: Request, segments: list[str]) -> Ask:
    app = world.apps.get(request.first("client_id"))
    if app is None:
        raise ConsentError("We couldn't find an app with this client_id.")
    redirect_uri = consent.checked_redirect(request, app, MISMATCH)
    scopes = request.first("scope").split()
    missing = sorted(set(app.required_scopes) - set(scopes))
    if missing or not scopes:
        raise ConsentError(
            "The scopes in the URL don't match the app's required scopes. "
            f"Missing: {', '.join(missing) or 'all'}."
        )
    return Ask(
        app=app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        optional=request.first("optional_scope").split(),
        state=request.first("state"),
        challenge=consent.checked_challenge(request),
        pinned=_pinned(world, segments),
    )


def _pinned(world: World, segments: list[str]) -> int:
    if len(segments) < 3:
        return 0
    if not segments[1].isdigit() or int(segments[1]) not in world.portals:
        raise ConsentError(NO_ACCESS)
    return int(segments[1])


def _page(world: World, ask: Ask) -> str:
    accounts = consent.choices(
        Choice(str(portal.hub_id), portal.name, portal.domain)
        for portal in world.portals.values()
        if ask.pinned in (0, portal.hub_id)
    )
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in ask.scopes)
    optional = "".join(
        f"<li><code>{escape(scope)}</code> <small>optional</small></li>"
        for scope in ask.optional
    )
    host = escape(urlsplit(ask.redirect_uri).netloc)
    return consent.page(
        VENDOR,
        COLOURS,
        f"Connect {ask.app.name}",
        f"""<h1>Connect {escape(ask.app.name)} to HubSpot</h1>
<p>Signed in as {escape(str(oauth.DEMO_USER["user"]))}.
The app runs at <b>{host}</b>.</p>
<form method="post"><h2>Choose an account</h2>{accounts}
<h2>This app will be able to use</h2><ul>{scopes}{optional}</ul>
<div class="buttons">
<button name="decision" value="connect" class="main">Connect app</button>
<button name="decision" value="cancel">Cancel</button></div></form>""",
    )
