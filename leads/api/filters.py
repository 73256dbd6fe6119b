"""What lists of records can be filtered by; names are ours, never query lookups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from crmsync.core.api.filters import IdFilter, MomentFilter
from leads.browse import matching
from leads.matching import normal_email
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    CustomField,
    Deal,
    Lead,
    RecordType,
)


class RecordFilters(filters.FilterSet):
    """What every list of records can be filtered by."""

    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")
    updated_after = MomentFilter("updated_at", "gte")

    # Where `search` looks.
    searched: Sequence[str] = ()

    def matches(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep rows where each word of the search stands in one of the fields."""
        return rows.filter(matching(value, tuple(self.searched)))


def _search() -> filters.CharFilter:
    return filters.CharFilter(method="matches", help_text="Words, all must be found.")


class LeadFilters(RecordFilters):
    """Filters of leads."""

    searched = ("first_name", "last_name", "email", "company_name")
    search = _search()
    email = filters.CharFilter(method="has_email")
    status = filters.ChoiceFilter(choices=Lead.Status.choices)
    owner_id = IdFilter("owner_id")
    company_id = IdFilter("company_id")
    campaign_id = IdFilter("campaigns__campaign_id")
    source = filters.CharFilter("source")
    score_min = filters.NumberFilter("score", "gte")
    score_max = filters.NumberFilter("score", "lte")

    class Meta:
        model = Lead
        fields: tuple[str, ...] = ()

    def has_email(self, rows: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        """Keep the lead known by the address, in whatever form it is given."""
        return rows.filter(keys__kind="email", keys__value=normal_email(value) or value)


class CompanyFilters(RecordFilters):
    """Filters of companies."""

    searched = ("name", "domain")
    search = _search()
    domain = filters.CharFilter("domain")

    class Meta:
        model = Company
        fields: tuple[str, ...] = ()


class DealFilters(RecordFilters):
    """Filters of deals."""

    searched = ("name",)
    search = _search()
    lead_id = IdFilter("lead_id")
    company_id = IdFilter("company_id")
    pipeline_id = IdFilter("pipeline_id")
    stage_id = IdFilter("stage_id")
    owner_id = IdFilter("owner_id")
    outcome = filters.ChoiceFilter(
        "stage__outcome", choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")]
    )

    class Meta:
        model = Deal
        fields: tuple[str, ...] = ()


class ActivityFilters(RecordFilters):
    """Filters of activities."""

    searched = ("subject", "body")
    search = _search()
    kind = filters.ChoiceFilter(choices=Activity.Kind.choices)
    direction = filters.ChoiceFilter(
        choices=[("inbound", "From them"), ("outbound", "From us")]
    )
    lead_id = IdFilter("lead_id")
    deal_id = IdFilter("deal_id")
    campaign_id = IdFilter("campaign_id")
    owner_id = IdFilter("owner_id")
    done = filters.BooleanFilter("done_at", "isnull", exclude=True)

    class Meta:
        model = Activity
        fields: tuple[str, ...] = ()


class CampaignFilters(RecordFilters):
    """Filters of campaigns."""

    searched = ("name",)
    search = _search()
    source = filters.CharFilter("source")

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = ()


class CampaignMemberFilters(RecordFilters):
    """Filters of campaign members."""

    lead_id = IdFilter("lead_id")
    campaign_id = IdFilter("campaign_id")
    status = filters.ChoiceFilter(choices=CampaignMember.Status.choices)

    class Meta:
        model = CampaignMember
        fields: tuple[str, ...] = ()


class CustomFieldFilters(filters.FilterSet):
    """Filters of custom fields."""

    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    archived = filters.BooleanFilter("archived")

    class Meta:
        model = CustomField
        fields: tuple[str, ...] = ()
