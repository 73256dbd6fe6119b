"""The page on which a person lets an app in: its checks, its look, the way back."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from integrations.simulators.wire import Reply, Request
from integrations.simulators.world import AppConfig

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ConsentError(Exception):
    """The authorize URL is wrong; shown to the person, never sent to the app."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What gives a vendor's page its look."""

    ground: str
    text: str
    line: str
    field: str
    quiet: str
    brand: str
    button: str
    edge: str
    focus: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An account a person may connect."""

    value: str
    name: str
    detail: str


def checked_redirect(request: Request, app: AppConfig, mismatch: str) -> str:
    """Return redirect_uri; raises ConsentError, with `mismatch` when it is another."""
    redirect_uri = request.first("redirect_uri")
    parts = urlsplit(redirect_uri)
    secure = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    )
    if not secure or not parts.netloc or parts.fragment:
        raise ConsentError("redirect_uri must be https, or http on localhost.")
    if app.redirect_uris and redirect_uri not in app.redirect_uris:
        raise ConsentError(mismatch)
    return redirect_uri


def checked_challenge(request: Request) -> str:
    """Return code_challenge, empty = none; raises ConsentError."""
    challenge = request.first("code_challenge")
    method = request.first("code_challenge_method", "S256")
    if challenge and method != "S256":
        raise ConsentError("code_challenge_method must be S256.")
    return challenge


def back(redirect_uri: str, state: str, answer: dict[str, str]) -> Reply:
    """Send the person back to the app."""
    told = answer | ({"state": state} if state else {})
    joint = "&" if urlsplit(redirect_uri).query else "?"
    location = redirect_uri + joint + urlencode(told)
    return Reply(302, headers=[("Location", location)])


def choices(offered: Iterable[Choice]) -> str:
    """Return the accounts to choose from, the first one chosen."""
    return "".join(
        f'<label class="account"><input type="radio" name="account" '
        f'value="{escape(each.value)}"{"" if at else " checked"}>'
        f"<span><b>{escape(each.name)}</b><small>{escape(each.detail)} · "
        f"{escape(each.value)}</small></span></label>"
        for at, each in enumerate(offered)
    )


def error_page(vendor: str, colours: Colours, title: str, message: str) -> str:
    """Return the page that says what is wrong with the URL."""
    body = f"<h1>{escape(title)}</h1><p role=alert>{escape(message)}</p>"
    return page(vendor, colours, title, body)


def page(vendor: str, colours: Colours, title: str, body: str) -> str:
    """Return a page. body: HTML."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title><style>{_root(colours)}{STYLE}</style></head><body><main>
<p class="brand">{escape(vendor)} simulator</p>{body}</main></body></html>"""


def _root(colours: Colours) -> str:
    named = {name: getattr(colours, name) for name in Colours.__slots__}
    return ":root{" + ";".join(f"--{name}:{hue}" for name, hue in named.items()) + "}"


STYLE = """
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--text);
font:16px/1.5 system-ui,sans-serif}main{max-width:34rem;margin:6vh auto;padding:2rem;
background:#fff;border:1px solid var(--line);border-radius:8px}h1{font-size:1.4rem;
margin:.2rem 0 .6rem}h2{font-size:1rem;margin:1.4rem 0 .5rem}.brand{color:var(--brand);
margin:0;font-weight:600;font-size:.85rem}.account{display:flex;gap:.8rem;
padding:.7rem;border:1px solid var(--field);border-radius:6px;margin:.4rem 0;
cursor:pointer}.account small{display:block;color:var(--quiet)}ul{margin:0;
padding-left:1.2rem;max-height:14rem;overflow:auto}small{color:var(--quiet)}
.buttons{display:flex;gap:.8rem;margin-top:1.6rem}button{font:inherit;
padding:.6rem 1.2rem;border-radius:4px;border:1px solid var(--edge);background:#fff;
color:var(--text);cursor:pointer}button.main{background:var(--button);
border-color:var(--button);color:#fff}button:focus-visible,input:focus-visible{
outline:3px solid var(--focus);outline-offset:2px}
"""
