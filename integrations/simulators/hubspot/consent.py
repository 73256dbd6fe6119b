"""The page on which a person lets an app into an account: /oauth/authorize."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from integrations.simulators.hubspot import oauth
from integrations.simulators.hubspot.world import AppConfig, World
from integrations.simulators.wire import Reply, Request, html_reply

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ConsentError(Exception):
    """The authorize URL is wrong; shown to the person, never sent to the app."""


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
    except ConsentError as error:
        return html_reply(_error_page(str(error)), 400)
    if request.method != "POST":
        return html_reply(_page(world, ask))
    form = request.form()
    if form.get("decision") != "connect":
        return _back(
            ask,
            {
                "error": "access_denied",
                "error_description": "The user denied access to the application",
            },
        )
    hub_id = int(form.get("account") or ask.pinned or world.default_portal.hub_id)
    if hub_id not in world.portals or (ask.pinned and hub_id != ask.pinned):
        return html_reply(_error_page("You do not have access to that account."), 400)
    code = oauth.new_code(
        world,
        ask.app,
        hub_id=hub_id,
        redirect_uri=ask.redirect_uri,
        scopes=list(dict.fromkeys([*ask.scopes, *ask.optional])),
        challenge=ask.challenge,
    )
    return _back(ask, {"code": code})


def _read(world: World, request: Request, segments: list[str]) -> Ask:
    app = world.apps.get(request.first("client_id"))
    if app is None:
        raise ConsentError("We couldn't find an app with this client_id.")
    redirect_uri = request.first("redirect_uri")
    _check_redirect(app, redirect_uri)
    scopes = request.first("scope").split()
    missing = sorted(set(app.required_scopes) - set(scopes))
    if missing or not scopes:
        raise ConsentError(
            "The scopes in the URL don't match the app's required scopes. "
            f"Missing: {', '.join(missing) or 'all'}."
        )
    challenge = request.first("code_challenge")
    method = request.first("code_challenge_method", "S256")
    if challenge and method != "S256":
        raise ConsentError("code_challenge_method must be S256.")
    return Ask(
        app=app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        optional=request.first("optional_scope").split(),
        state=request.first("state"),
        challenge=challenge,
        pinned=_pinned(world, segments),
    )


def _pinned(world: World, segments: list[str]) -> int:
    if len(segments) < 3:
        return 0
    if not segments[1].isdigit() or int(segments[1]) not in world.portals:
        raise ConsentError("You do not have access to that account.")
    return int(segments[1])


def _check_redirect(app: AppConfig, redirect_uri: str) -> None:
    parts = urlsplit(redirect_uri)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    )
    if not secure or not parts.netloc or parts.fragment:
        raise ConsentError("redirect_uri must be https, or http on localhost.")
    if app.redirect_uris and redirect_uri not in app.redirect_uris:
        raise ConsentError("redirect_uri does not match one of the app's addresses.")


def _back(ask: Ask, answer: dict[str, str]) -> Reply:
    if ask.state:
        answer["state"] = ask.state
    joint = "&" if urlsplit(ask.redirect_uri).query else "?"
    location = ask.redirect_uri + joint + urlencode(answer)
    return Reply(302, headers=[("Location", location)])


def _page(world: World, ask: Ask) -> str:
    accounts = "".join(
        f'<label class="account"><input type="radio" name="account" '
        f'value="{portal.hub_id}"{" checked" if at == 0 else ""}>'
        f"<span><b>{escape(portal.name)}</b><small>{escape(portal.domain)} · "
        f"{portal.hub_id}</small></span></label>"
        for at, portal in enumerate(
            p for p in world.portals.values() if ask.pinned in (0, p.hub_id)
        )
    )
    scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in ask.scopes)
    optional = "".join(
        f"<li><code>{escape(scope)}</code> <small>optional</small></li>"
        for scope in ask.optional
    )
    host = escape(urlsplit(ask.redirect_uri).netloc)
    return _frame(
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


def _error_page(message: str) -> str:
    body = f"<h1>Authorization failed</h1><p role=alert>{escape(message)}</p>"
    return _frame("Authorization failed", body)


def _frame(title: str, body: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>
<p class="brand">HubSpot simulator</p>{body}</main></body></html>"""


STYLE = """
*{box-sizing:border-box}body{margin:0;background:#f5f8fa;color:#213343;
font:16px/1.5 system-ui,sans-serif}main{max-width:34rem;margin:6vh auto;padding:2rem;
background:#fff;border:1px solid #dfe3eb;border-radius:8px}h1{font-size:1.4rem;margin:
.2rem 0 .6rem}h2{font-size:1rem;margin:1.4rem 0 .5rem}.brand{color:#c4401c;margin:0;
font-weight:600;font-size:.85rem}.account{display:flex;gap:.8rem;padding:.7rem;
border:1px solid #cbd6e2;border-radius:6px;margin:.4rem 0;cursor:pointer}
.account small{display:block;color:#516f90}ul{margin:0;padding-left:1.2rem;
max-height:14rem;overflow:auto}small{color:#516f90}.buttons{display:flex;gap:.8rem;
margin-top:1.6rem}button{font:inherit;padding:.6rem 1.2rem;border-radius:4px;
border:1px solid #7c98b6;background:#fff;color:#213343;cursor:pointer}
button.main{background:#b93b14;border-color:#b93b14;color:#fff}
button:focus-visible,input:focus-visible{outline:3px solid #00a4bd;outline-offset:2px}
"""
