"""Connected accounts: made, looked at, reconnected, closed."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from crmsync.core.models import WorkItem
from crmsync.core.roles import Can, allows
from crmsync.core.services import Actor, audit
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.wake import wake
from integrations import failures, figures, progress, selectors
from integrations.connectors import CONNECTORS
from integrations.forms.connections import ReconnectForm, TokenForm
from integrations.models import ApiCall, Connection, Link
from integrations.offers import offers_of
from integrations.services import connect, forms
from integrations.services.connect import ConnectionRefused
from integrations.services.setup import TEMPLATES
from integrations.sync.asking_setup import KIND as SETUP_KIND

CALLS_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that can be connected."""

    slug: str
    label: str
    has_oauth: bool


def vendors() -> list[Vendor]:
    """Return the vendors that work, with whether their sign-in is set up here."""
    return [
        Vendor(slug, entry.spec.label, has_oauth(slug))
        for slug, entry in CONNECTORS.items()
    ]


def has_oauth(vendor: str) -> bool:
    """Tell whether this installation has an app at the vendor."""
    given = getattr(settings, f"{vendor.upper()}_CLIENT_ID", "")
    return bool(given) and CONNECTORS[vendor].spec.oauth is not None


@needs(Can.VIEW_SYNC)
def connection_list(request: PageRequest) -> HttpResponse:
    """Show the accounts that are connected and the vendors that can be."""
    context = {
        "page_title": "Connections",
        "health": failures.health(figures.home_figures(request.workspace)),
        "vendors": vendors(),
    }
    return render(request, "integrations/connection_list.html", context)


@sensitive_post_parameters("token")
@needs(Can.MANAGE_CONNECTIONS)
def connection_new(request: PageRequest, vendor: str) -> HttpResponse:
    """Connect an account: by OAuth, or by a private app's token."""
    if vendor not in CONNECTORS:
        raise Http404("There is no such connector.")
    form = TokenForm(request.POST or None, vendor=vendor)
    if request.method == "POST" and form.is_valid():
        made = _connected(request, vendor, form)
        if made is not None:
            label = CONNECTORS[vendor].spec.label
            messages.success(request, f"{label} is connected. Setting it up now.")
            return redirect(made)
    context = {
        "page_title": f"Connect {CONNECTORS[vendor].spec.label}",
        "vendor": next(one for one in vendors() if one.slug == vendor),
        "form": form,
        "docs": CONNECTORS[vendor].spec.docs.get("private app", ""),
        "objects": [one.remote_object for one in TEMPLATES[vendor]],
    }
    status = 422 if form.errors else 200
    return render(request, "integrations/connection_new.html", context, status=status)


def _connected(request: PageRequest, vendor: str, form: TokenForm) -> Connection | None:
    try:
        made = connect.connect_with_token(
            request.workspace,
            vendor=vendor,
            name=form.cleaned_data["name"],
            token=form.cleaned_data["token"],
            api_url=form.cleaned_data.get("api_url", ""),
            user=request.user,
        )
    except ConnectionRefused as refusal:
        form.add_error("token", str(refusal))
        return None
    audit(request.workspace, Actor(request.user), "connection.made", target=made)
    wake("integrations.tasks.drain", "sync")
    return made


@needs(Can.VIEW_SYNC)
def connection_page(request: PageRequest, pk: int) -> HttpResponse:
    """Show an account: health, mappings, permissions, recent calls."""
    connection = get_object_or_404(Connection, pk=pk)
    health = failures.health(figures.home_figures(request.workspace))
    mine = next(one for one in health if one.connection.pk == connection.pk)
    fresh = mine.fresh
    context = {
        "page_title": str(connection),
        "connection": connection,
        "figures": mine,
        "fresh": fresh,
        "mappings": [(one, offers_of(one.mapping, {})) for one in fresh.mappings],
        "runs": progress.with_progress(fresh.runs, timezone.now()),
        "failing_url": reverse("errors") + f"?connection={connection.pk}",
        "links": Link.objects.filter(connection=connection).count(),
        "hidden": selectors.hidden_records(connection) if fresh.hidden else [],
        "form": ReconnectForm(vendor=connection.vendor),
        "has_oauth": has_oauth(connection.vendor),
        "has_forms": forms.has_forms(connection),
        "missing_scopes": _missing_scopes(connection),
        **_live(connection),
    }
    if allows(request.role, Can.MANAGE_CONNECTIONS):
        calls = ApiCall.objects.filter(connection=connection).order_by("-id")
        context["calls"] = calls[:CALLS_SHOWN]
    return render(request, "integrations/connection.html", context)


def _live(connection: Connection) -> dict[str, object]:
    """Return what set-up is doing."""
    item = WorkItem.objects.filter(kind=SETUP_KIND, key=str(connection.pk)).first()
    return {
        "setup": item,
        "schemas": connection.schemas.order_by("object_type"),
        "objects": list(
            dict.fromkeys(one.remote_object for one in TEMPLATES[connection.vendor])
        ),
    }


def _missing_scopes(connection: Connection) -> list[str]:
    facts = CONNECTORS[connection.vendor].spec.oauth
    if facts is None or not connection.scopes:
        return []
    return sorted(set(facts.scopes) - set(connection.scopes) - {"oauth"})


@needs(Can.VIEW_SYNC)
def connection_setup(request: PageRequest, pk: int) -> HttpResponse:
    """Return the panel of set-up; once it is over, have the whole page loaded."""
    connection = get_object_or_404(Connection, pk=pk)
    if connection.status != Connection.Status.SETTING_UP:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"connection": connection, **_live(connection)}
    return render(request, "integrations/_setup.html", context)


@sensitive_post_parameters("token")
@needs(Can.MANAGE_CONNECTIONS)
@require_POST
def connection_reconnect(request: PageRequest, pk: int) -> HttpResponse:
    """Give a connection a new token of the same account."""
    connection = get_object_or_404(Connection, pk=pk)
    form = ReconnectForm(request.POST, vendor=connection.vendor)
    if form.is_valid():
        try:
            connect.reconnect_with_token(
                connection,
                form.cleaned_data["token"],
                api_url=form.cleaned_data.get("api_url", ""),
            )
        except ConnectionRefused as refusal:
            form.add_error("token", str(refusal))
        else:
            actor = Actor(request.user)
            audit(request.workspace, actor, "connection.renewed", target=connection)
            wake("integrations.tasks.drain", "sync")
            messages.success(request, f"{connection} is reconnected.")
            return redirect(connection)
    context = {
        "page_title": f"Reconnect {connection}",
        "connection": connection,
        "form": form,
        "has_oauth": has_oauth(connection.vendor),
    }
    return render(request, "integrations/reconnect.html", context, status=422)


@needs(Can.MANAGE_CONNECTIONS)
@require_POST
def connection_close(request: PageRequest, pk: int) -> HttpResponse:
    """Disconnect an account; links and history stay."""
    connection = get_object_or_404(Connection, pk=pk)
    connect.disconnect(connection)
    actor = Actor(request.user)
    audit(request.workspace, actor, "connection.closed", target=connection)
    messages.success(
        request, f"{connection} is disconnected. Nothing is sent any more."
    )
    return redirect(connection)


@needs(Can.EDIT_MAPPINGS)
@require_POST
def connection_refresh(request: PageRequest, pk: int) -> HttpResponse:
    """Read the account's fields, pipelines and owners again."""
    connection = get_object_or_404(Connection, pk=pk)
    connect.queue_setup(connection)
    wake("integrations.tasks.drain", "sync")
    messages.success(request, f"The fields of {connection} are being read again.")
    return redirect(connection)
