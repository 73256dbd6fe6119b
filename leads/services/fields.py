"""Which fields of which record may be written, and how each is cleaned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.core.models import Workspace
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    Deal,
    Lead,
    RecordType,
)
from leads.services import values
from leads.services.values import Cleaner

AnyRecord = Lead | Company | Deal | Activity | Campaign | CampaignMember
MODELS: Mapping[str, type[Any]] = {
    RecordType.LEAD: Lead,
    RecordType.COMPANY: Company,
    RecordType.DEAL: Deal,
    RecordType.ACTIVITY: Activity,
    RecordType.CAMPAIGN: Campaign,
    RecordType.CAMPAIGN_MEMBER: CampaignMember,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One writable field.

    blank: what clearing it stores; required: it must have a value; refers_to: the
    table its id is looked up in; fixed: set when the record is made, never after.
    """

    clean: Callable[[Workspace], Cleaner]
    blank: object = ""
    required: bool = False
    refers_to: str = ""
    fixed: bool = False


def _plain(cleaner: Cleaner, **given: object) -> Field:
    return Field(lambda _: cleaner, **given)  # type: ignore[arg-type]


def _text(max_length: int, **given: object) -> Field:
    return _plain(values.text(max_length), **given)


def _to(table: str, **given: object) -> Field:
    return _plain(values.row_id, blank=None, refers_to=table, **given)


def _moment() -> Field:
    return _plain(values.moment, blank=None)


_PHONE = Field(lambda workspace: values.phone(workspace.phone_region))

_LEAD: Mapping[str, Field] = {
    "email": _plain(values.email),
    "first_name": _text(100),
    "last_name": _text(100),
    "phone": _PHONE,
    "linkedin_id": _plain(values.linkedin),
    "job_title": _text(200),
    "company_id": _to("company"),
    "company_name": _text(200),
    "city": _text(100),
    "country": _text(100),
    "status": _plain(values.choice(Lead.Status.values), required=True),
    "owner_id": _to("member"),
    "source": _text(60),
}
_COMPANY: Mapping[str, Field] = {
    "name": _text(200),
    "domain": _plain(values.domain),
    "phone": _PHONE,
    "industry": _text(100),
    "city": _text(100),
    "country": _text(100),
    "employees": _plain(values.whole(0, 2**31 - 1), blank=None),
}
_DEAL: Mapping[str, Field] = {
    "name": _text(200, required=True),
    "lead_id": _to("lead"),
    "company_id": _to("company"),
    "pipeline_id": _to("pipeline"),
    "stage_id": _to("stage"),
    "amount": _plain(values.money, blank=None),
    "currency": _plain(values.currency),
    "close_date": _plain(values.day, blank=None),
    "owner_id": _to("member"),
    "source": _text(60),
}
_ACTIVITY: Mapping[str, Field] = {
    "kind": _plain(values.choice(Activity.Kind.values), required=True, fixed=True),
    "direction": _plain(values.choice(Activity.Direction.values)),
    "lead_id": _to("lead"),
    "deal_id": _to("deal"),
    "campaign_id": _to("campaign"),
    "channel": _text(20),
    "subject": _text(300),
    "body": _text(values.MAX_BODY),
    "occurred_at": _plain(values.moment, blank=None, required=True),
    "due_at": _moment(),
    "done_at": _moment(),
    "owner_id": _to("member"),
    "source": _text(60, fixed=True),
    "external_id": _text(200, fixed=True),
}
_CAMPAIGN: Mapping[str, Field] = {
    "name": _text(200, required=True),
    "source": _text(60),
    "external_id": _text(100),
}
_CAMPAIGN_MEMBER: Mapping[str, Field] = {
    "campaign_id": _to("campaign", required=True, fixed=True),
    "lead_id": _to("lead", required=True, fixed=True),
    "status": _plain(values.choice(CampaignMember.Status.values), required=True),
}
FIELDS: Mapping[str, Mapping[str, Field]] = {
    RecordType.LEAD: _LEAD,
    RecordType.COMPANY: _COMPANY,
    RecordType.DEAL: _DEAL,
    RecordType.ACTIVITY: _ACTIVITY,
    RecordType.CAMPAIGN: _CAMPAIGN,
    RecordType.CAMPAIGN_MEMBER: _CAMPAIGN_MEMBER,
}
