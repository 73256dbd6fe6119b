"""The page on which a person lets an app in: /services/oauth2/authorize."""

from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from integrations.simulators.salesforce import defaults, oauth
from integrations.simulators.salesforce.world import AppConfig, World
from integrations.simulators.wire import Reply, Request, html_reply

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_SCOPE = "api refresh_token id"


class ConsentError(Exception):
    """The authorize URL is wrong; shown to the person, never sent to the app."""


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
        return html_reply(_error_page(str(error)), 400)


def _decide(world: World, request: Request, ask: Ask) -> Reply:
    form = request.form()
    if form.get("decision") not in ("allow", "connect"):
        denied = "end-user denied authorization"
        return _back(ask, {"error": "access_denied", "error_description": denied})
    org = world.org_with(form.get("account") or world.default_org.id)
    if org is None:
        raise ConsentError("There is no such organization.")
    user = form.get("user") or defaults.integration_user(org.spec)
    if user not in org.tables["User"].rows:
        raise ConsentError("There is no such user.")
    code = oauth.new_code(
        world,
        ask.app,
        org=org,
        user=user,
        redirect_uri=ask.redirect_uri,
        scope=ask.scope,
        challenge=ask.challenge,
    )
    return _back(ask, {"code": code})


def _read(world: World, request: Request) -> Ask:
    app = world.apps.get(request.first("client_id"))
    if app is None:
        raise ConsentError("error=invalid_client_id: client identifier invalid")
    if request.first("response_type") != "code":
        raise ConsentError("error=unsupported_response_type: use response_type=code")
    redirect_uri = request.first("redirect_uri")
    _check_redirect(app, redirect_uri)
    challenge = request.first("code_challenge")
    method = request.first("code_challenge_method", "S256")
    if challenge and method != "S256":
        raise ConsentError("code_challenge_method must be S256.")
    return Ask(
        app=app,
        redirect_uri=redirect_uri,
        scope=request.first("scope") or DEFAULT_SCOPE,
        state=request.first("state"),
        challenge=challenge,
    )


def _check_redirect(app: AppConfig, redirect_uri: str) -> None:
    parts = urlsplit(redirect_uri)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    )
    if not secure or not parts.netloc or parts.fragment:
        raise ConsentError("redirect_uri must be https, or http on localhost.")
    if app.redirect_uris and redirect_uri not in app.redirect_uris:
        raise ConsentError(
            "error=redirect_uri_mismatch: redirect_uri must match configuration"
        )


def _back(ask: Ask, answer: dict[str, str]) -> Reply:
    if ask.state:
        answer["state"] = ask.state
    joint = "&" if urlsplit(ask.redirect_uri).query else "?"
    location = ask.redirect_uri + joint + urlencode(answer)
    return Reply(302, headers=[("Location", location)])


def _page(world: World, ask: Ask) -> str:
    accounts = "".join(
        f'<label class="account"><input type="radio" name="account" '
        f'value="{org.id}"{" checked" if at == 0 else ""}>'
        f"<span><b>{escape(org.spec.name)}</b><small>integration.user@"
        f"{escape(org.spec.domain)} · {org.id}</small></span></label>"
        for at, org in enumerate(world.orgs.values())
    )
    scopes = "".join(
        f"<li><code>{escape(scope)}</code></li>" for scope in ask.scope.split()
    )
    host = escape(urlsplit(ask.redirect_uri).netloc)
    return _frame(
        "Allow Access?",
        f"""<h1>Allow access?</h1>
<p><b>{escape(ask.app.name)}</b> at <b>{host}</b> is asking to:</p>
<ul>{scopes}</ul>
<form method="post"><h2>Choose an organization</h2>{accounts}
<div class="buttons">
<button name="decision" value="allow" class="main">Allow</button>
<button name="decision" value="deny">Deny</button></div></form>""",
    )


def _error_page(message: str) -> str:
    body = f"<h1>OAuth Error</h1><p role=alert>{escape(message)}</p>"
    return _frame("OAuth Error", body)


def _frame(title: str, body: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>
<p class="brand">Salesforce simulator</p>{body}</main></body></html>"""


STYLE = """
*{box-sizing:border-box}body{margin:0;background:#f3f6f9;color:#16325c;
font:16px/1.5 system-ui,sans-serif}main{max-width:34rem;margin:6vh auto;padding:2rem;
background:#fff;border:1px solid #d8dde6;border-radius:8px}h1{font-size:1.4rem;margin:
.2rem 0 .6rem}h2{font-size:1rem;margin:1.4rem 0 .5rem}.brand{color:#0b5cab;margin:0;
font-weight:600;font-size:.85rem}.account{display:flex;gap:.8rem;padding:.7rem;
border:1px solid #c4ccd8;border-radius:6px;margin:.4rem 0;cursor:pointer}
.account small{display:block;color:#54698d}ul{margin:0;padding-left:1.2rem;
max-height:14rem;overflow:auto}small{color:#54698d}.buttons{display:flex;gap:.8rem;
margin-top:1.6rem}button{font:inherit;padding:.6rem 1.2rem;border-radius:4px;
border:1px solid #8094b4;background:#fff;color:#16325c;cursor:pointer}
button.main{background:#0b5cab;border-color:#0b5cab;color:#fff}
button:focus-visible,input:focus-visible{outline:3px solid #f2a03d;outline-offset:2px}
"""
