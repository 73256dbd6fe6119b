"""The admin console: who may enter, in which workspace, and its sections.

It has no sign-in of its own and no permissions of its own: a role that may use it
sees all of its workspace and nothing of another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse
from django.utils.translation import gettext as _
from django_scopes import scope
from unfold.sites import UnfoldAdminSite

from crmsync.core.models import Workspace
from crmsync.core.roles import Can, allows

# The order of the sidebar; each model names its section.
SECTIONS = ("Records", "History", "Sales", "CRM sync", "Inbox", "Work", "Workspace")
SESSION_KEY = "console_workspace"
# The theme's scripts are evaluated and its colours are an inline style; the rest of
# the product allows neither.
_CSP = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ConsoleSite(UnfoldAdminSite):
    """The site at /admin/."""

    site_title = "crmsync"
    site_header = "crmsync console"
    index_title = "Admin console"
    index_template = "console/index.html"

    # --- who may enter --------------------------------------------------------------

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether a person may enter; keys are for programs and the API."""
        user = request.user
        if not user.is_active or getattr(request, "api_key", None) is not None:
            return False
        role = getattr(request, "role", None)
        return user.is_superuser or allows(role, Can.USE_ADMIN)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Guard a view: sign-in first, then the role, then inside one workspace."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise PermissionDenied(_("The admin console is for the role Admin."))
            request.workspace = workspace = workspace_of(request)  # type: ignore[attr-defined]
            with scope(workspace=workspace):
                response = inner(request, *args, **kwargs)
                # Templates ask the database too, so they belong inside the scope.
                if not getattr(response, "is_rendered", True):
                    response = response.render()
            return response

        return csp_replace(_CSP)(update_wrapper(guarded, view))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the product's own sign-in, which limits guesses."""
        if request.user.is_authenticated:
            return redirect("admin:index")
        return redirect_to_login(reverse("admin:index"))

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out of the product."""
        if request.method == "POST":
            logout(request)
        return redirect("account_login")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send to the product's own page."""
        return redirect("account_change_password")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out the jump to any object's page: it looks past the workspace."""
        found = super().get_urls()
        return [one for one in found if getattr(one, "name", "") != "view_on_site"]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what needs a person, then every section."""
        looks = [
            look for page in self._registry.values() for look in page.looks(request)
        ]
        return super().index(request, {"looks": looks, **(extra_context or {})})

    # --- what is where --------------------------------------------------------------

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the models by section instead of by Django app."""
        apps = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        models = [model for app in apps for model in app["models"]]
        sections = []
        for section in SECTIONS:
            mine = [
                {**one, "name": self._admin_of(one).words or one["name"]}
                for one in models
                if self._admin_of(one).section == section
            ]
            sections.append(
                {
                    "name": section,
                    "app_label": section.lower().replace(" ", "_"),
                    "app_url": reverse("admin:index"),
                    "has_module_perms": True,
                    "models": mine,
                }
            )
        return sections

    def _admin_of(self, entry: dict[str, Any]) -> Any:
        return self._registry[entry["model"]]

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the way back to the product, then the sections."""
        product = _("Back to crmsync")
        top = [
            {"title": product, "icon": "arrow_back", "link": "/", "active": False},
            {
                "title": _("Overview"),
                "icon": "space_dashboard",
                "link": reverse("admin:index"),
                "active": request.path == reverse("admin:index"),
            },
        ]
        groups = [{"items": self._get_navigation_items(request, top)}]
        for section in self.get_app_list(request):
            items = [self._item(one) for one in section["models"]]
            groups.append(
                {
                    "title": section["name"],
                    "separator": True,
                    "collapsible": True,
                    "items": self._get_navigation_items(request, items),
                }
            )
        return groups

    def _item(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {
            "title": entry["name"],
            "icon": self._admin_of(entry).icon,
            "link": entry["admin_url"],
        }


def workspace_of(request: HttpRequest) -> Workspace | None:
    """Return the workspace the console shows.

    A superuser may look into any, and starts in one's own or else the first.
    """
    own: Workspace | None = getattr(request, "workspace", None)
    if not request.user.is_superuser:
        return own
    chosen = request.session.get(SESSION_KEY)
    workspaces = Workspace.objects.order_by("pk")
    if chosen is not None:
        return workspaces.filter(pk=chosen).first() or own or workspaces.first()
    return own or workspaces.first()


def page_of(obj: Any) -> str | None:
    """Return the address of a record's page in the product, None without one."""
    try:
        return str(obj.get_absolute_url())
    except (AttributeError, NoReverseMatch):
        return None


def back_to(request: HttpRequest) -> HttpResponse:
    """Return to the page a refused form was sent from."""
    return HttpResponseRedirect(request.get_full_path())


def stylesheet(request: HttpRequest) -> str:
    """Return what the theme lacks, for the setting UNFOLD."""
    return static("app/console.css")


def logo(request: HttpRequest) -> str:
    """Return the product's mark, for the setting UNFOLD."""
    return static("app/favicon.svg")
