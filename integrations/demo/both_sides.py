"""A morning on both sides: people edit here and in the CRMs while nobody looks.

What follows is decided by the product: conflicts, moved links, values that do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from crmsync.core.models import User, Workspace
from crmsync.core.services import Actor
from integrations.demo.cast import Cast
from integrations.demo.crm import Crm
from integrations.models import Conflict, Link
from integrations.services.conflicts import resolve
from leads.facts import Origin
from leads.models import Change, Deal, Lead
from leads.services import records
from leads.services.records import Edit

_TITLES = (
    ("VP Operations", "Chief Operating Officer"),
    ("Head of RevOps", "Director of Revenue Operations"),
    ("Sales Director EMEA", "Regional Sales Director"),
    ("Founder and CEO", "Managing Director"),
)
_PHONES = (("+49 30 5557001", "+49 30 5557100"), ("+44 20 7946 0011", "+442079460099"))
_CITIES = (("Hamburg", "Berlin"), ("Milan", "Bologna"), ("Lisbon", "Braga"))
# A stage that our pipeline does not have.
_UNKNOWN_STAGE = "Negotiation/Review"


class Morning:
    """The edits of one morning; `now` is when they are looked at."""

    def __init__(
        self,
        workspace: Workspace,
        crms: Mapping[str, Crm],
        *,
        rep: User,
        now: datetime,
    ) -> None:
        self.workspace, self.crms, self.rep, self.now = workspace, crms, rep, now
        self.steps = 0

    def play(self, cast: Cast) -> None:
        """Change the same fields here and there, convert a lead, delete a contact."""
        self._promote(cast.promoted)
        self._call(cast.called)
        self._move([*cast.moved, *cast.corrected], correct=cast.corrected)
        for lead in cast.converted:
            self._convert(lead)
        for lead in cast.deleted:
            self._at("hubspot", "contacts", lead, delete=True)
        for deal in Deal.objects.filter(lead__in=cast.negotiating):
            self._at("salesforce", "Opportunity", deal, StageName=_UNKNOWN_STAGE)

    def _promote(self, leads: Sequence[Lead]) -> None:
        pairs = list(zip(leads, _TITLES, strict=False))
        self._here({one.pk: {"job_title": ours} for one, (ours, _) in pairs}, 50)
        for lead, (_, theirs) in pairs:
            self._at("hubspot", "contacts", lead, jobtitle=theirs)

    def _call(self, leads: Sequence[Lead]) -> None:
        pairs = list(zip(leads, _PHONES, strict=False))
        self._here({one.pk: {"phone": ours} for one, (ours, _) in pairs}, 35)
        for lead, (_, theirs) in pairs:
            self._at("salesforce", "Lead", lead, Phone=theirs)

    def _move(self, leads: Sequence[Lead], *, correct: Sequence[Lead]) -> None:
        """Move people to another city. correct: those whose city sales knows better."""
        pairs = list(zip(leads, _CITIES, strict=False))
        self._here({one.pk: {"city": ours} for one, (ours, _) in pairs}, 20)
        for lead, (_, theirs) in pairs:
            if lead in correct:
                self._at("salesforce", "Lead", lead, City=theirs)
            else:
                self._at("hubspot", "contacts", lead, city=theirs)

    def _convert(self, lead: Lead) -> None:
        crm = self.crms["salesforce"]
        body = {"id": _remote_id(crm, "Lead", lead), "opportunity": False}
        crm.simulated.control("convert", body)

    def _at(
        self,
        vendor: str,
        remote_object: str,
        record: Lead | Deal,
        *,
        delete: bool = False,
        **values: str,
    ) -> None:
        crm = self.crms[vendor]
        remote_id = _remote_id(crm, remote_object, record)
        if delete:
            crm.simulated.delete(remote_object, remote_id)
        else:
            crm.simulated.edit(remote_object, remote_id, **values)

    def _here(self, edits: Mapping[int, Mapping[str, object]], ago_min: int) -> None:
        """Change leads as the rep, so many minutes ago."""
        self.steps += 1
        trace = f"demo-morning-{self.steps}"
        origin = Origin("user", str(self.rep.pk), str(self.rep), trace)
        given = [Edit(pk, values) for pk, values in edits.items()]
        records.update(self.workspace, "lead", given, origin=origin)
        at = self.now - timedelta(minutes=ago_min)
        Change.objects.filter(trace_id=trace).update(at=at)


def _remote_id(crm: Crm, remote_object: str, record: Lead | Deal) -> str:
    mapping = crm.mapping(remote_object)
    links = Link.objects.filter(connection=crm.connection, record_id=record.pk)
    of_type = links.filter(record_type=mapping.record_type)
    return of_type.get(remote_object=remote_object).remote_id


def decide_some(ops: User) -> None:
    """Let somebody decide two of the conflicts; the others wait."""
    waiting = Conflict.objects.filter(state=Conflict.State.OPEN, field="job_title")
    for conflict, winner in zip(waiting.order_by("pk"), ("crm", "hub"), strict=False):
        resolve(conflict, Actor(user=ops), winner)
