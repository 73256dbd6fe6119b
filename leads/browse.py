"""Lists of records as people look through them: searched, filtered, sorted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.http import QueryDict

from crmsync.core.models import User, Workspace
from leads.models import Campaign, Company, Deal, Lead, Pipeline, Stage

# A search of more words than these finds nothing anyone meant.
MAX_WORDS = 6
NOBODY, ME = "none", "me"
SORTS: Mapping[str, tuple[str, str]] = {
    "liveliest": ("last_activity_at", "Liveliest first"),
    "hottest": ("score", "Hottest first"),
    "newest": ("id", "Newest first"),
}
HEAT: Mapping[str, tuple[str, Q]] = {
    "hot": ("Hot, 50 and more", Q(score__gte=50)),
    "warm": ("Warm, 20 to 49", Q(score__gte=20, score__lt=50)),
    "cold": ("Cold, below 20", Q(score__lt=20)),
}
_LEAD_TEXT = (
    "first_name",
    "last_name",
    "email",
    "company_name",
    "phone",
    "linkedin_id",
    "job_title",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter of a list. options: (value, text); the first means "any"."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]] = field(default_factory=list)


def matching(text: str, fields: tuple[str, ...]) -> Q:
    """Return the condition that every word stands in one of the fields."""
    found = Q()
    for word in text.replace("\x00", "").split()[:MAX_WORDS]:
        found &= Q(*((f"{name}__icontains", word) for name in fields), _connector=Q.OR)
    return found


def leads_of(query: QueryDict, user: User) -> QuerySet[Lead]:
    """Return the leads a list's address asks for; an unknown filter is no filter."""
    rows = Lead.objects.select_related("owner", "company")
    rows = rows.filter(matching(query.get("q", ""), _LEAD_TEXT))
    if (status := query.get("status", "")) in Lead.Status.values:
        rows = rows.filter(status=status)
    if (heat := query.get("score", "")) in HEAT:
        rows = rows.filter(HEAT[heat][1])
    if source := _clean(query, "source"):
        rows = rows.filter(source=source)
    if campaign := _number(query, "campaign"):
        rows = rows.filter(campaigns__campaign_id=campaign)
    return rows.filter(_owned(query, user))


def _clean(query: QueryDict, name: str) -> str:
    return query.get(name, "").replace("\x00", "")


def _number(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _owned(query: QueryDict, user: User) -> Q:
    owner = query.get("owner", "")
    if owner == NOBODY:
        return Q(owner=None)
    if owner == ME:
        return Q(owner=user)
    number = _number(query, "owner")
    return Q(owner_id=number) if number else Q()


def sort_of(query: QueryDict) -> str:
    """Return the key of SORTS the list's address asks for."""
    wanted = query.get("sort", "")
    return wanted if wanted in SORTS else "liveliest"


def people_of(workspace: Workspace) -> list[tuple[str, str]]:
    """Return the members as (id, name), by name."""
    members = workspace.memberships.select_related("user")
    return sorted(
        ((str(one.user_id), str(one.user)) for one in members),
        key=lambda pair: pair[1].casefold(),
    )


def lead_choices(query: QueryDict, workspace: Workspace) -> list[Choice]:
    """Return the filters over the list of leads."""
    sources = Lead.objects.exclude(source="").order_by("source")
    names = sources.values_list("source", flat=True).distinct()
    campaigns = Campaign.objects.order_by("name").values_list("pk", "name")[:200]
    given = {
        "status": ("Status", "Any status", list(Lead.Status.choices)),
        "owner": ("Owner", "Any owner", _owner_options(workspace)),
        "score": ("Score", "Any score", [(k, text) for k, (text, _) in HEAT.items()]),
        "source": ("Source", "Any source", [(name, name) for name in names]),
        "campaign": (
            "Campaign",
            "Any campaign",
            [(str(pk), name) for pk, name in campaigns],
        ),
    }
    return [
        Choice(name, label, query.get(name, ""), [("", any_text), *options])
        for name, (label, any_text, options) in given.items()
        if options
    ]


def _owner_options(workspace: Workspace) -> list[tuple[str, str]]:
    return [(ME, "Mine"), (NOBODY, "Nobody’s"), *people_of(workspace)]


def sort_choice(query: QueryDict) -> Choice:
    """Return the order of the list of leads as a choice."""
    options = [(key, text) for key, (_, text) in SORTS.items()]
    return Choice("sort", "Order", sort_of(query), options)


def companies_of(query: QueryDict) -> QuerySet[Company]:
    """Return the companies a list's address asks for."""
    fields = ("name", "domain", "city", "country", "industry")
    return Company.objects.filter(matching(query.get("q", ""), fields))


def deals_of(query: QueryDict, user: User) -> QuerySet[Deal]:
    """Return the deals a list's address asks for."""
    rows = Deal.objects.select_related("lead", "company", "stage", "owner", "pipeline")
    fields = ("name", "lead__first_name", "lead__last_name", "company__name")
    rows = rows.filter(matching(query.get("q", ""), fields))
    if stage := _number(query, "stage"):
        rows = rows.filter(stage_id=stage)
    if pipeline := _number(query, "pipeline"):
        rows = rows.filter(pipeline_id=pipeline)
    return rows.filter(_owned(query, user))


def deal_choices(query: QueryDict, workspace: Workspace) -> list[Choice]:
    """Return the filters over deals."""
    pipelines = [(str(one.pk), one.name) for one in Pipeline.objects.order_by("name")]
    stages = Stage.objects.order_by("pipeline__name", "position")
    given = [
        ("stage", "Stage", "Any stage", [(str(one.pk), one.name) for one in stages]),
        ("owner", "Owner", "Any owner", _owner_options(workspace)),
    ]
    if len(pipelines) > 1:
        given.insert(0, ("pipeline", "Pipeline", "Any pipeline", pipelines))
    return [
        Choice(name, label, query.get(name, ""), [("", any_text), *options])
        for name, label, any_text, options in given
    ]
