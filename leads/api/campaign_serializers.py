"""What the API shows and takes of campaigns and of who is in them."""

from __future__ import annotations

from rest_framework import serializers

from leads.api.serializers import COMMON, RecordBody, id_of, shown_id
from leads.models import Campaign, CampaignMember


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign."""

    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Campaign
        fields = ("id", "name", "source", "external_id", *COMMON)
        read_only_fields = fields


class CampaignBody(RecordBody):
    """What may be written of a campaign."""

    class Meta:
        model = Campaign
        fields = ("name", "source", "external_id", "custom", "version")


class CampaignMemberSerializer(serializers.ModelSerializer[CampaignMember]):
    """A lead in a campaign, since `created_at`."""

    lead_id = shown_id()
    campaign_id = shown_id()
    custom = serializers.DictField(read_only=True)

    class Meta:
        model = CampaignMember
        fields = ("id", "lead_id", "campaign_id", "status", *COMMON)
        read_only_fields = fields


class CampaignMemberBody(RecordBody):
    """What may be written of a membership; of which two it is stays."""

    lead_id = id_of("lead")
    campaign_id = id_of("campaign")

    class Meta:
        model = CampaignMember
        fields = ("lead_id", "campaign_id", "status", "custom", "version")
