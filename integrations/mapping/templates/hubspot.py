"""The mappings a new HubSpot connection starts with.

PURE. Property names: HubSpot's defaults, guide crm/properties (read March 2026).
"""

from __future__ import annotations

from integrations.mapping.templates.base import MappingTemplate, RowTemplate

# Our stages and pipelines are matched to the account's own at set-up.
STAGE, PIPELINE = "dealstage", "pipeline"

TEMPLATES = (
    MappingTemplate(
        "company",
        "companies",
        # HubSpot makes and ties companies from contacts' e-mail domains by itself;
        # ours would stand beside them until someone decides otherwise.
        active=False,
        rows=(
            RowTemplate("name", "name"),
            RowTemplate("domain", "domain"),
            RowTemplate("phone", "phone"),
            RowTemplate("city", "city"),
            RowTemplate("country", "country"),
            RowTemplate("employees", "numberofemployees"),
        ),
    ),
    MappingTemplate(
        "lead",
        "contacts",
        match_field="email",
        engaged_only=True,
        rows=(
            RowTemplate("email", "email"),
            RowTemplate("first_name", "firstname"),
            RowTemplate("last_name", "lastname"),
            RowTemplate("phone", "phone"),
            RowTemplate("linkedin_url", "hs_linkedin_url"),
            RowTemplate("job_title", "jobtitle"),
            RowTemplate("company_name", "company"),
            RowTemplate("city", "city"),
            RowTemplate("country", "country"),
            RowTemplate("owner_email", "hubspot_owner_id"),
        ),
    ),
    MappingTemplate(
        "deal",
        "deals",
        rows=(
            RowTemplate("name", "dealname"),
            RowTemplate("stage_id", PIPELINE),
            RowTemplate("stage_id", STAGE),
            RowTemplate("amount", "amount"),
            # In accounts with several currencies only.
            RowTemplate("currency", "deal_currency_code"),
            RowTemplate("close_date", "closedate"),
            RowTemplate("owner_email", "hubspot_owner_id"),
        ),
    ),
    MappingTemplate(
        "activity",
        "notes",
        only_kinds=("note", "message", "email", "call", "meeting"),
        rows=(
            RowTemplate("note_html", "hs_note_body"),
            RowTemplate("occurred_at", "hs_timestamp"),
            RowTemplate("owner_email", "hubspot_owner_id"),
        ),
    ),
    MappingTemplate(
        "activity",
        "tasks",
        only_kinds=("task",),
        rows=(
            RowTemplate("subject", "hs_task_subject"),
            RowTemplate("body", "hs_task_body"),
            RowTemplate("due_at", "hs_timestamp"),
            RowTemplate(
                "task_status",
                "hs_task_status",
                values={"open": "NOT_STARTED", "done": "COMPLETED"},
            ),
            RowTemplate("owner_email", "hubspot_owner_id"),
        ),
    ),
    MappingTemplate(
        "campaign",
        "campaigns",
        match_field="hs_name",
        # They need Marketing Hub Professional and two scopes of their own. Set-up
        # leaves them out where the account does not show them.
        active=False,
        rows=(RowTemplate("name", "hs_name"),),
    ),
)
