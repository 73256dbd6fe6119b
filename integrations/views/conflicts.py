"""Conflicts: whose value counts, decided one by one, in bulk, or from now on."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs, refuse_unless
from crmsync.core.views.paging import keyset
from crmsync.core.wake import wake
from integrations import disputes
from integrations.models import Conflict
from integrations.runlists import number_in
from integrations.services import conflicts

# More than these are decided in several goes.
AT_ONCE = 500
FILTERS = ("connection", "field", "record")


@needs(Can.VIEW_SYNC)
def conflict_list(request: PageRequest) -> HttpResponse:
    """Show the fields that both sides changed: those to decide, or those settled."""
    query = request.GET
    tab = "settled" if query.get("tab") == "settled" else "open"
    page = keyset(disputes.filtered(query), query)
    context = {
        "page_title": "Conflicts",
        "tab": tab,
        "page": page,
        "cards": disputes.cards_of(page.items),
        "fields": disputes.by_field(query) if tab == "open" else [],
        "choices": disputes.choices(query),
        "filtered": any(query.get(name) for name in FILTERS),
        "query": query.urlencode(),
    }
    return render(request, "integrations/conflict_list.html", context)


@needs(Can.RETRY_SYNC)
@require_POST
def conflict_decide(request: PageRequest) -> HttpResponseBase:
    """Keep one side's value: of one conflict, of chosen ones, or of all shown."""
    given = request.POST
    if always := given.get("always", ""):
        refuse_unless(request, Can.EDIT_MAPPINGS)
        _decide(request, *_one(always), always=True)
    elif keep := given.get("keep", ""):
        _decide(request, *_one(keep), always=False)
    elif winner := given.get("all", ""):
        _decide(request, winner, disputes.filtered(request.GET), always=False)
    else:
        ids = [int(one) for one in given.getlist("conflict") if one.isdigit()]
        chosen = Conflict.objects.filter(pk__in=ids[:AT_ONCE])
        _decide(request, given.get("bulk", ""), chosen, always=False)
    return redirect(_back(request))


def _one(text: str) -> tuple[str, Iterable[Conflict]]:
    """Read "crm:12": whose value, and of which conflict."""
    winner, _, wanted = text.partition(":")
    return winner, Conflict.objects.filter(pk=number_in(wanted) or 0)


def _decide(
    request: PageRequest, winner: str, chosen: Iterable[Conflict], *, always: bool
) -> None:
    actor, done, told = Actor(request.user), 0, ""
    for one in list(chosen)[:AT_ONCE]:
        try:
            conflicts.resolve(one, actor, winner, always=always)
        except Refused as refusal:
            told = str(refusal)
        else:
            done += 1
    if done:
        wake("integrations.tasks.rush", "urgent")
        messages.success(request, _decided(done, always=always))
    if told:
        messages.error(request, told)
    if not done and not told:
        messages.info(request, "There was nothing left to decide.")


def _decided(count: int, *, always: bool) -> str:
    if always:
        return "It is decided, and from now on that side wins for this field."
    noun = "conflict is" if count == 1 else "conflicts are"
    return f"{count} {noun} settled. Both sides get the value that was kept."


@needs(Can.RETRY_SYNC)
@require_POST
def conflict_restore(request: PageRequest, pk: int) -> HttpResponseBase:
    """Bring the value back that was not kept."""
    found = get_object_or_404(Conflict, pk=pk)
    try:
        conflicts.restore(found, Actor(request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        wake("integrations.tasks.rush", "urgent")
        messages.success(request, "The other value is back, on both sides.")
    return redirect(_back(request))


def _back(request: PageRequest) -> str:
    given = request.POST.get("next", "")
    mine = url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if given and mine else "conflicts"
