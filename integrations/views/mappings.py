"""Mappings: which field goes where, changed row by row."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render

from crmsync.core.models import WorkItem
from crmsync.core.roles import Can, allows
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs, refuse_unless
from crmsync.core.wake import wake
from integrations import selectors
from integrations.connectors import CONNECTORS
from integrations.forms.ground import Ground
from integrations.forms.mapping import MappingForm
from integrations.forms.rowset import BaseRows, Rows, initial_of
from integrations.forms.sides import Sides, sides_of
from integrations.models import ObjectMapping, Run
from integrations.selection import linked_of
from integrations.services import mappings, retries, runs
from integrations.services.mappings import StaleMapping
from integrations.sync import outbox

PREFIX = "rows"
TOTAL = f"{PREFIX}-TOTAL_FORMS"


def _mappings() -> QuerySet[ObjectMapping]:
    return ObjectMapping.objects.select_related("connection", "workspace")


@needs(Can.VIEW_SYNC)
def mapping_list(request: PageRequest) -> HttpResponse:
    """Show all mappings by connection."""
    rows = _mappings().prefetch_related("rows")
    ordered = rows.order_by("connection__name", "connection_id", "record_type", "id")
    failing = _failing_by_mapping()
    context = {
        "page_title": "Field mapping",
        "mappings": [
            (one, len(one.rows.all()), failing.get(str(one.pk), 0)) for one in ordered
        ],
    }
    return render(request, "integrations/mapping_list.html", context)


def _failing_by_mapping() -> dict[str, int]:
    found: dict[str, int] = {}
    parked = selectors.failing_items().filter(kind=outbox.KIND, state="parked")
    for group in parked.values_list("group", flat=True):
        found[group] = found.get(group, 0) + 1
    return found


@needs(Can.VIEW_SYNC)
def mapping(request: PageRequest, pk: int) -> HttpResponse:
    """Show a mapping and change it; anything but saving only redraws what was typed."""
    found = get_object_or_404(_mappings(), pk=pk)
    sides = sides_of(found)
    if request.method != "POST":
        return _page(request, found, sides, MappingForm(mapping=found, sides=sides))
    refuse_unless(request, Can.EDIT_MAPPINGS)
    data = _acted(request.POST)
    form = MappingForm(data, mapping=found, sides=sides)
    rows = Rows(data, prefix=PREFIX, form_kwargs=_ground(form, sides))
    if "save" in data and form.is_valid() and rows.is_valid():
        if _saved(request, found, form, rows):
            return redirect(found)
    elif "save" not in data:
        form, rows = _unjudged(data, found, sides)
    return _page(request, found, sides, form, rows)


def _ground(form: MappingForm, sides: Sides) -> dict[str, Ground]:
    """Return what every row of the form stands on."""
    found = form.mapping
    stored = found.rows.exclude(suspended_because="")
    suspended = dict(stored.values_list("destination", "suspended_because"))
    there = str(found.connection)
    spec = CONNECTORS[found.connection.vendor].spec
    forward_only = frozenset(
        name for object_, name in spec.forward_only if object_ == found.remote_object
    )
    way = form.now("direction")
    return {"ground": Ground(sides, way, there, suspended, forward_only)}


def _acted(posted: QueryDict) -> QueryDict:
    """Return the posted data with a row added, when that was asked for."""
    data = posted.copy()
    if "add" in data and data.get(TOTAL, "").isdigit():
        place = int(str(data[TOTAL]))
        data[TOTAL] = str(place + 1)
        data[f"{PREFIX}-{place}-active"] = "on"
    return data


def _unjudged(
    data: QueryDict, found: ObjectMapping, sides: Sides
) -> tuple[MappingForm, BaseRows]:
    """Return what was typed, with no complaint about what is not chosen yet."""
    form = MappingForm(data, mapping=found, sides=sides)
    form.unjudged()
    rows = Rows(data, prefix=PREFIX, form_kwargs=_ground(form, sides))
    for one in rows.forms:
        one.unjudged()
    return form, rows


def _saved(
    request: PageRequest, found: ObjectMapping, form: MappingForm, rows: Any
) -> bool:
    actor, version = Actor(request.user), form.cleaned_data["version"]
    try:
        saved = mappings.change_mapping(
            found, actor, form.values(), rows=rows.rows(), version=version
        )
    except StaleMapping as error:
        form.add_error(None, str(error))
        return False
    except Refused as refusal:
        name = refusal.field if refusal.field in form.fields else None
        form.add_error(name, str(refusal))
        return False
    told = f"The mapping is saved as version {saved.version}."
    messages.success(request, f"{told} {_follow(request, saved)}".strip())
    return True


def _follow(request: PageRequest, saved: ObjectMapping) -> str:
    """Do what was asked for beside saving; return it in words."""
    wanted = request.POST.get("then")
    if wanted == "failed":
        asked = retries.retry(_failed(saved))
        told = f"{asked} failed records are tried again."
    elif wanted == "all":
        told = _send_linked(request, saved)
    else:
        return ""
    wake("integrations.tasks.take_in", "sync")
    wake("integrations.tasks.drain", "sync")
    return told


def _send_linked(request: PageRequest, saved: ObjectMapping) -> str:
    """Bring linked records up to date, in a run that can be watched and taken back."""
    ids = list(linked_of(saved).values_list("record_id", flat=True)[: runs.MOST_IDS])
    try:
        made = runs.start_run(
            saved, Actor(request.user), Run.Kind.MANUAL, options={"ids": ids}
        )
    except Refused as refusal:
        return str(refusal)
    retries.retry(_failed(saved))
    return f"{len(ids):,} records are compared and sent where they differ: {made}."


def _failed(found: ObjectMapping) -> Any:
    items = WorkItem.objects.filter(kind=outbox.KIND, group=str(found.pk))
    return items.filter(state="parked")


def _page(
    request: PageRequest,
    found: ObjectMapping,
    sides: Sides,
    form: MappingForm,
    rows: Any = None,
) -> HttpResponse:
    if rows is None:
        rows = Rows(
            prefix=PREFIX,
            initial=[initial_of(one) for one in found.rows.all()],
            form_kwargs=_ground(form, sides),
        )
    context = {
        "page_title": str(found),
        "mapping": found,
        "tab": "fields",
        "form": form,
        "rows": rows,
        "sides": sides,
        "unmapped": _unmapped(found, rows, sides),
        "failed": _failed(found).count(),
        "linked": linked_of(found).count(),
        "may_edit": allows(request.role, Can.EDIT_MAPPINGS),
    }
    judged = "save" in request.POST and (form.errors or rows.total_error_count())
    return render(
        request, "integrations/mapping.html", context, status=422 if judged else 200
    )


def _unmapped(mapping: ObjectMapping, rows: Any, sides: Sides) -> list[str]:
    """Return the required fields of theirs that nothing goes to.

    What a record belongs to is sent along, by no row.
    """
    ties = CONNECTORS[mapping.connection.vendor].spec.references
    used = {form.now("destination") for form in rows.forms}
    used |= {name for (one, _), name in ties.items() if one == mapping.remote_object}
    return [
        one.label
        for one in sides.theirs.values()
        if one.required and not one.read_only and one.name not in used
    ]
