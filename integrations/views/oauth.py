"""The two ends of a sign-in at a vendor, and the page that says why there was none.

What the vendor sends back is in the callback's address, so that page is never shown: it
always leads on to a clean one.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET

from crmsync.core.roles import Can, allows
from crmsync.core.wake import wake_after_commit
from integrations.connectors import CONNECTORS
from integrations.models import Connection
from integrations.services import oauth
from integrations.services.connect import ConnectionRefused
from integrations.services.oauth import Answer, Person

PROBLEM_KEY = "oauth_problem"
MAX_PARAMETER = 4096


@require_GET
def start(request: HttpRequest, vendor: str) -> HttpResponse:
    """Send a person to the vendor. `?connection=<id>` signs that one in again."""
    _known(vendor)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    who = _person(request)
    connection = _connection(request, vendor)
    try:
        address = oauth.begin(
            who, vendor, redirect_uri=redirect_uri(vendor), connection=connection
        )
    except ConnectionRefused as problem:
        return _explain(request, vendor, str(problem))
    return _quiet(HttpResponseRedirect(address))


@require_GET
def callback(request: HttpRequest, vendor: str) -> HttpResponse:
    """Take a person back from the vendor, connect, and lead on to a clean address."""
    label = _known(vendor)
    if not request.user.is_authenticated:
        told = (
            f"You are signed out. Sign in at {settings.PUBLIC_URL} to connect {label}."
        )
        messages.error(request, told)
        return _quiet(redirect(settings.LOGIN_URL))
    try:
        connection = oauth.finish(_person(request), vendor, _answer(request))
    except (ConnectionRefused, PermissionDenied) as problem:
        return _explain(request, vendor, str(problem))
    wake_after_commit("integrations.tasks.drain", "sync")
    name = connection.account_name or connection.account_id
    messages.success(request, f"{label} is connected: {name}. Setting it up now.")
    return _quiet(redirect(connection.get_absolute_url()))


@require_GET
def problem(request: HttpRequest, vendor: str) -> HttpResponse:
    """Say why nothing was connected, and how to try again."""
    label = _known(vendor)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    context = {
        "page_title": f"{label} was not connected",
        "problem": request.session.get(PROBLEM_KEY, "There is nothing to report."),
        "again_url": reverse("oauth-start", args=[vendor]),
        "again_label": f"Connect {label} again",
    }
    return render(request, "integrations/oauth_problem.html", context)


def redirect_uri(vendor: str) -> str:
    """Return the address to register at the vendor; each vendor has its own."""
    return str(settings.PUBLIC_URL) + reverse("oauth-callback", args=[vendor])


def _known(vendor: str) -> str:
    """Return the label of a vendor that has OAuth. Raises Http404."""
    entry = CONNECTORS.get(vendor)
    if entry is None or entry.spec.oauth is None:
        raise Http404("There is no such connector.")
    return entry.spec.label


def _person(request: HttpRequest) -> Person:
    """Return who signs in. Raises PermissionDenied unless they may connect."""
    member = request.membership  # type: ignore[attr-defined]
    if member is None or not allows(member.role, Can.MANAGE_CONNECTIONS):
        raise PermissionDenied("Connecting an account is for admins.")
    session_key = request.session.session_key or ""
    return Person(member.workspace, member.user, session_key)


def _connection(request: HttpRequest, vendor: str) -> Connection | None:
    wanted = request.GET.get("connection", "")
    if not wanted:
        return None
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Http404("There is no such connection.")
    return get_object_or_404(Connection.objects.filter(vendor=vendor), pk=wanted)


def _answer(request: HttpRequest) -> Answer:
    """Read the answer. Raises ConnectionRefused where it is ambiguous."""
    names = ("state", "code", "error", "error_description")
    given = {name: request.GET.getlist(name) for name in names}
    # RFC 6749 section 3.1: no parameter twice; which one counts would be a guess.
    if any(len(values) > 1 for values in given.values()):
        raise ConnectionRefused("The answer was not in order.")
    one = {name: (values or [""])[0] for name, values in given.items()}
    if any(len(value) > MAX_PARAMETER for value in one.values()):
        raise ConnectionRefused("The answer was not in order.")
    return Answer(one["state"], one["code"], one["error"], one["error_description"])


def _explain(request: HttpRequest, vendor: str, text: str) -> HttpResponse:
    request.session[PROBLEM_KEY] = text
    return _quiet(redirect("oauth-problem", vendor))


def _quiet(response: HttpResponse) -> HttpResponse:
    """Keep an address that carries a code or a state out of caches and Referer."""
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "no-referrer"
    return response
