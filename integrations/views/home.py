"""The first page: what is connected, what moved today, what is stuck."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from crmsync.core.roles import Can, allows
from crmsync.core.views.access import PageRequest, needs
from integrations import failures, figures, progress
from integrations.models import Connection, Delivery, Endpoint
from leads.models import Activity

REPLIES_SHOWN = 8
CAUSES_SHOWN = 4
RUNS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way in for a new workspace."""

    title: str
    text: str
    url: str
    action: str
    done: bool


@needs(Can.VIEW_RECORDS)
def home(request: PageRequest) -> HttpResponse:
    """Show the day, or the way in while nothing is set up."""
    steps = _steps()
    context: dict[str, object] = {"page_title": "Home", "replies": _replies()}
    found = figures.home_figures(request.workspace)
    context["figures"] = found
    if allows(request.role, Can.VIEW_SYNC):
        health = failures.health(found)
        going = [run for one in health for run in one.fresh.runs]
        context |= {
            "health": health,
            "conflicts": sum(one.fresh.conflicts for one in health),
            "runs": progress.with_progress(going[:RUNS_SHOWN], timezone.now()),
            "counts": failures.counts(),
            "groups": failures.groups()[:CAUSES_SHOWN],
            "endpoint": Endpoint.objects.filter(active=True).order_by("id").first(),
        }
    if not all(step.done for step in steps):
        context["steps"] = steps
        context["next_step"] = next(step for step in steps if not step.done)
    return render(request, "integrations/home.html", context)


def _replies() -> list[Activity]:
    rows = Activity.objects.filter(kind="message", direction="inbound")
    rows = rows.select_related("lead", "campaign")
    return list(rows.order_by("-id")[:REPLIES_SHOWN])


def _steps() -> list[Step]:
    live = Connection.objects.exclude(status=Connection.Status.DISCONNECTED)
    endpoint = Endpoint.objects.order_by("id").first()
    return [
        Step(
            "Connect HubSpot",
            "Sign in with your HubSpot account, or paste a private app’s token. "
            "Fields, pipelines and owners are read, and mappings are made.",
            reverse("connections"),
            "Connect HubSpot",
            live.exists(),
        ),
        Step(
            "Give La Growth Machine your webhook address",
            "Make an endpoint, copy its address and paste it as an inbox webhook in La "
            "Growth Machine.",
            reverse("endpoint", args=[endpoint.pk])
            if endpoint
            else reverse("endpoint-new"),
            "Copy the address" if endpoint else "Make an endpoint",
            Delivery.objects.exclude(state=Delivery.State.REJECTED).exists(),
        ),
        Step(
            "Send a test reply",
            "Answer one of your own campaigns, or send a sample from the endpoint’s "
            "page. Seconds later the lead stands here and in HubSpot.",
            reverse("endpoint", args=[endpoint.pk])
            if endpoint
            else reverse("endpoints"),
            "Send a test reply",
            Activity.objects.filter(kind="message", direction="inbound").exists(),
        ),
    ]
