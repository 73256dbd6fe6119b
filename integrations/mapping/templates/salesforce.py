"""The mappings a new Salesforce connection starts with.

PURE. Field names: describe calls recorded in a plain org (v59).
"""

from __future__ import annotations

from integrations.mapping.merge import ANY_OTHER
from integrations.mapping.templates.base import MappingTemplate, RowTemplate

# What Salesforce's own forms put where a person left a required field blank.
NOT_PROVIDED = "[not provided]"

_PERSON = (
    RowTemplate("email", "Email"),
    RowTemplate("first_name", "FirstName"),
    RowTemplate("last_name", "LastName", default=NOT_PROVIDED),
    RowTemplate("phone", "Phone"),
    RowTemplate("job_title", "Title"),
)

TEMPLATES = (
    MappingTemplate(
        "company",
        "Account",
        direction="both",
        # Sales keep accounts by hand there; ours would stand beside them until someone
        # decides otherwise.
        active=False,
        rows=(
            RowTemplate("name", "Name"),
            RowTemplate("domain", "Website", direction="push", rule="blank"),
            RowTemplate("phone", "Phone"),
            RowTemplate("industry", "Industry"),
            RowTemplate("city", "BillingCity"),
            RowTemplate("country", "BillingCountry"),
            RowTemplate("employees", "NumberOfEmployees"),
        ),
    ),
    # A person who is a contact there, since a lead was converted or before us, is kept
    # up to date and never made: that is what leads are for.
    MappingTemplate(
        "lead",
        "Contact",
        match_field="Email",
        direction="both",
        creates=False,
        rows=(
            *_PERSON,
            RowTemplate("city", "MailingCity"),
            RowTemplate("country", "MailingCountry"),
            RowTemplate("owner_email", "OwnerId"),
        ),
    ),
    MappingTemplate(
        "lead",
        "Lead",
        match_field="Email",
        direction="both",
        engaged_only=True,
        rows=(
            *_PERSON,
            RowTemplate("company_name", "Company", default=NOT_PROVIDED),
            RowTemplate("city", "City"),
            RowTemplate("country", "Country"),
            RowTemplate("owner_email", "OwnerId"),
        ),
    ),
    MappingTemplate(
        "deal",
        "Opportunity",
        direction="both",
        rows=(
            RowTemplate("name", "Name"),
            RowTemplate("stage_id", "StageName"),
            RowTemplate("amount", "Amount"),
            # Required there; a forecast that is wrong is mended, a deal that is
            # missing is not missed.
            RowTemplate("close_date", "CloseDate", default="+30d"),
            # In orgs with several currencies only.
            RowTemplate("currency", "CurrencyIsoCode"),
            RowTemplate("owner_email", "OwnerId"),
        ),
    ),
    MappingTemplate(
        "activity",
        "Task",
        only_kinds=("task",),
        rows=(
            RowTemplate("subject", "Subject"),
            RowTemplate("body", "Description"),
            RowTemplate("due_at", "ActivityDate"),
            RowTemplate(
                "task_status",
                "Status",
                values={"open": "Not Started", "done": "Completed"},
            ),
            RowTemplate("owner_email", "OwnerId"),
        ),
    ),
    # Not every effort here is one there: switched on by whoever wants them there.
    MappingTemplate(
        "campaign",
        "Campaign",
        match_field="Name",
        direction="both",
        active=False,
        rows=(RowTemplate("name", "Name"),),
    ),
    MappingTemplate(
        "campaign_member",
        "CampaignMember",
        active=False,
        rows=(
            RowTemplate(
                "status",
                "Status",
                # The two that a new campaign starts with (object reference:
                # CampaignMemberStatus).
                values={"contacted": "Sent", "responded": "Responded"},
                direction="push",
                rule="forward",
                # What an admin added there, Attended say, was set by somebody who knew.
                order=("Sent", "Responded", ANY_OTHER),
            ),
        ),
    ),
)
