"""Who may open a page: signed out goes to sign-in, the wrong role gets a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from crmsync.core.models import Membership, User, Workspace
from crmsync.core.roles import ALLOWED, Can, Role, allows

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request as `needs` lets it through: a person inside a workspace."""

    user: User
    workspace: Workspace
    membership: Membership
    role: str
    htmx: HtmxDetails


View = Callable[Concatenate[PageRequest, ...], HttpResponseBase]


def needs(what: Can) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Let only people through whose role may do this."""

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @never_cache
        def guarded(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            page = cast(PageRequest, request)
            refuse_unless(page, what)
            return view(page, *args, **kwargs)

        return guarded

    return decorate


def refuse_unless(request: PageRequest, what: Can) -> None:
    """Raise PermissionDenied, saying which roles may."""
    if request.workspace is None:
        raise PermissionDenied(
            "You belong to no workspace yet. Ask an admin to invite you."
        )
    if not allows(request.role, what):
        raise PermissionDenied(f"“{what.label}” is for {who_may(what)}.")


def who_may(what: Can) -> str:
    """Return the roles that may do this, in words.

    >>> who_may(Can.RETRY_SYNC)
    'the roles Admin and Sales ops'
    """
    labels = [role.label for role in Role if what in ALLOWED[role]]
    if len(labels) == 1:
        return f"the role {labels[0]}"
    return f"the roles {', '.join(labels[:-1])} and {labels[-1]}"


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send to the sign-in page; a piece of a page must not become that page."""
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(reverse("account_login"))
    return redirect_to_login(request.get_full_path())
