"""What each object adds to or asks of a record before it is saved.

`values` is the record as it will be, `given` what this write sets; both may be added to
by way of `given`.
"""

from collections.abc import Callable
from typing import Any

from integrations.simulators.salesforce import computed, values
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.wire import Json

Prepare = Callable[[Org, Row | None, Json, Json, int], None]


def prepare(
    org: Org, name: str, row: Row | None, merged: Json, given: Json, at: int
) -> None:
    """Complete what is given; row: None on create. Raises RowError."""
    step = _STEPS.get(name)
    if step is not None:
        step(org, row, merged, given, at)


def _opportunity(org: Org, row: Row | None, merged: Json, given: Json, at: int) -> None:
    if "StageName" not in given:
        return
    if row is not None and row.values.get("StageName") == given["StageName"]:
        return
    if "Probability" not in given:
        chance = computed.stage_value(org, given["StageName"], "DefaultProbability")
        if chance is not None:
            given["Probability"] = float(chance)
    given["LastStageChangeDate"] = values.iso(at // 1000)


def _activity(org: Org, row: Row | None, merged: Json, given: Json, at: int) -> None:
    # Known in the field, in no document at hand: code and wording are a guess.
    if merged.get("WhatId") and merged.get("WhoId") in org.tables["Lead"].rows:
        message = "You can only relate an activity to a lead when WhatId is empty."
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message, ["WhatId"])


def _member(org: Org, row: Row | None, merged: Json, given: Json, at: int) -> None:
    if not merged.get("LeadId") and not merged.get("ContactId"):
        message = "Required fields are missing: [LeadId, ContactId]"
        raise RowError("REQUIRED_FIELD_MISSING", message, ["LeadId", "ContactId"])
    _check_not_member(org, row, merged)
    statuses = org.tables["CampaignMemberStatus"].linked(
        "CampaignId", merged["CampaignId"]
    )
    if not merged.get("Status"):
        default = [s for s in statuses if s.values.get("IsDefault")] or statuses
        given["Status"] = default[0].values["Label"] if default else "Sent"
    elif statuses and merged["Status"] not in {s.values["Label"] for s in statuses}:
        message = f"Status: bad value for restricted picklist field: {merged['Status']}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Status"])


def _check_not_member(org: Org, row: Row | None, merged: Json) -> None:
    for name in ("LeadId", "ContactId"):
        if not merged.get(name):
            continue
        for other in org.tables["CampaignMember"].linked(name, merged[name]):
            same = other.values["CampaignId"] == merged["CampaignId"]
            if same and (row is None or other.id != row.id):
                raise RowError("DUPLICATE_VALUE", "Already a campaign member.")


def _assignment(org: Org, row: Row | None, merged: Json, given: Json, at: int) -> None:
    user, parent = merged["AssigneeId"], merged["PermissionSetId"]
    for other in org.tables["PermissionSetAssignment"].linked("AssigneeId", user):
        if other.values["PermissionSetId"] == parent:
            raise RowError(
                "DUPLICATE_VALUE",
                f"Duplicate PermissionSetAssignment.  Assignee: {user[:15]}; "
                f"Permission Set: {parent[:15]}",
                ["AssigneeId", "PermissionSetId"],
            )


_STEPS: dict[str, Prepare] = {
    "Opportunity": _opportunity,
    "Task": _activity,
    "Event": _activity,
    "CampaignMember": _member,
    "PermissionSetAssignment": _assignment,
}


def member_statuses(campaign: str) -> list[dict[str, Any]]:
    """Return the statuses a new campaign starts with."""
    first = {"Label": "Sent", "SortOrder": 1, "IsDefault": True}
    second = {"Label": "Responded", "SortOrder": 2, "HasResponded": True}
    return [{"CampaignId": campaign, **first}, {"CampaignId": campaign, **second}]
