"""The hub's records; written only through `leads.services`."""

from leads.models.activity import Activity, Conversation
from leads.models.base import RecordType
from leads.models.campaign import Campaign, CampaignMember
from leads.models.change import Change
from leads.models.company import Company
from leads.models.customfield import CustomField
from leads.models.deal import Deal, Pipeline, Stage, StageChange
from leads.models.lead import Lead, LeadKey
from leads.models.removal import Merge, Tombstone
from leads.models.scoring import ScoreEntry, ScoreRule

__all__ = [
    "Activity",
    "Campaign",
    "CampaignMember",
    "Change",
    "Company",
    "Conversation",
    "CustomField",
    "Deal",
    "Lead",
    "LeadKey",
    "Merge",
    "Pipeline",
    "RecordType",
    "ScoreEntry",
    "ScoreRule",
    "Stage",
    "StageChange",
    "Tombstone",
]
