"""Makes leads members of the campaigns that events speak of.

A status never goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, models, transaction

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Campaign, CampaignMember, RecordType
from leads.services import bulk, changes, saving
from leads.services.drafts import Draft

# Source and name, by which a workspace knows a campaign.
Known = tuple[str, str]
_ORDER = [str(one) for one in CampaignMember.Status]
# How often others may be faster with one of the same rows.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Joining:
    """One lead that joins a campaign, or gets further in it.

    source, name: the campaign's; external_id: what its source calls it; origin: of the
    changes that follow.
    """

    lead_id: int
    source: str
    name: str
    external_id: str
    status: str
    origin: Origin

    @property
    def campaign(self) -> Known:
        """Return how the campaign is known."""
        return self.source, self.name


def further(one: str, other: str) -> str:
    """Return the status that is further on.

    >>> further("responded", "contacted")
    'responded'
    """
    return max(one, other, key=_ORDER.index)


def join(
    workspace: Workspace, joining: Sequence[Joining]
) -> tuple[Mapping[Known, Campaign], list[RecordChange]]:
    """Store campaigns and memberships, in the caller's transaction; return the changes.

    The leads are locked by the caller.
    """
    if not joining:
        return {}, []
    campaigns, told = _campaigns(workspace, joining)
    wanted: dict[tuple[int, int], Joining] = {}
    statuses: dict[tuple[int, int], str] = {}
    for one in joining:
        pair = campaigns[one.campaign].pk, one.lead_id
        wanted.setdefault(pair, one)
        statuses[pair] = further(one.status, statuses.get(pair, one.status))
    there = _members(wanted)
    for pair, member in _made(workspace, wanted.keys() - there.keys(), statuses):
        told.append(
            changes.created(
                RecordType.CAMPAIGN_MEMBER,
                member,
                ("campaign_id", "lead_id", "status"),
                wanted[pair].origin,
            )
        )
    return campaigns, told + _moved_on(there, statuses, wanted)


def _campaigns(
    workspace: Workspace, joining: Sequence[Joining]
) -> tuple[dict[Known, Campaign], list[RecordChange]]:
    """Find or make them. One of no source is whoever's names it: it came from a CRM."""
    first = {one.campaign: one for one in reversed(joining)}
    told: list[RecordChange] = []
    for _ in range(_TRIES):
        rows = Campaign.objects.filter(name__in={name for _, name in first})
        there = {(one.source, one.name): one for one in rows}
        found = {
            known: one
            for known in first
            if (one := there.get(known) or there.get(("", known[1]))) is not None
        }
        missing = [
            Campaign(
                workspace=workspace,
                source=one.source,
                name=one.name,
                external_id=one.external_id,
            )
            for known, one in first.items()
            if known not in found
        ]
        if not missing:
            break
        if _inserted(Campaign, missing):
            found |= {(one.source, one.name): one for one in missing}
            names = ("name", "source", "external_id")
            for one in missing:
                origin = first[one.source, one.name].origin
                told.append(changes.created(RecordType.CAMPAIGN, one, names, origin))
            break
    return {known: found[known] for known in first}, told


def _members(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], CampaignMember]:
    """Return (campaign, lead) -> the membership, locked."""
    asked = set(pairs)
    rows = CampaignMember.objects.filter(
        campaign__in={campaign for campaign, _ in asked},
        lead__in={lead for _, lead in asked},
    ).order_by("pk")
    found = {(one.campaign_id, one.lead_id): one for one in rows.select_for_update()}
    return {pair: one for pair, one in found.items() if pair in asked}


def _made(
    workspace: Workspace,
    pairs: Iterable[tuple[int, int]],
    statuses: Mapping[tuple[int, int], str],
) -> list[tuple[tuple[int, int], CampaignMember]]:
    """Make the memberships that are missing; nobody else does, the leads are locked."""
    new = [
        (
            pair,
            CampaignMember(
                workspace=workspace,
                campaign_id=pair[0],
                lead_id=pair[1],
                status=statuses[pair],
            ),
        )
        for pair in sorted(pairs)
    ]
    bulk.insert(CampaignMember, [member for _, member in new])
    return new


def _moved_on(
    there: Mapping[tuple[int, int], CampaignMember],
    statuses: Mapping[tuple[int, int], str],
    wanted: Mapping[tuple[int, int], Joining],
) -> list[RecordChange]:
    told: list[RecordChange] = []
    drafts = []
    for pair, member in there.items():
        draft = Draft(member, is_new=False)
        draft.set("status", further(member.status, statuses[pair]))
        if draft.changed:
            drafts.append(draft)
            told.append(draft.told(RecordType.CAMPAIGN_MEMBER, wanted[pair].origin))
    saving.save(RecordType.CAMPAIGN_MEMBER, drafts)
    return told


def _inserted(model: type[models.Model], rows: Sequence[models.Model]) -> bool:
    """Store new rows; False where another was faster with one of them."""
    try:
        with transaction.atomic():
            bulk.insert(model, rows)
    except IntegrityError:
        return False
    return True
