"""Whose account the token opens, who can own records there, and its stages."""

from integrations.connectors.messages import Call
from integrations.connectors.paging import walk
from integrations.connectors.salesforce import answers, soap, soql
from integrations.connectors.salesforce.answers import Json
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.reading import has_more
from integrations.connectors.salesforce.spec import SPEC, object_facts
from integrations.connectors.salesforce.values import clean, long_id
from integrations.errors import (
    Misconfigured,
    OutcomeUnknown,
    PermissionMissing,
    RecordGone,
    RecordRejected,
)
from integrations.records import Account, RemoteOwner, RemotePipeline

# What a token hears that may not ask this, though it may write records.
_NOT_TOLD = (RecordGone, RecordRejected, PermissionMissing, Misconfigured)


def check(calls: Calls) -> Account:
    """Ask who we are, then for the org's name; each may be forbidden, not both."""
    user = _userinfo(calls)
    org = _organization(calls, must=not user)
    return Account(
        id=long_id(clean(user.get("organization_id")) or clean(org.get("Id")) or ""),
        name=clean(org.get("Name")) or "",
        user=clean(user.get("preferred_username")) or "",
        user_id=long_id(clean(user.get("user_id")) or ""),
    )


def _userinfo(calls: Calls) -> Json:
    try:
        return calls.get(SPEC.paths["userinfo"]["numbered"])
    except _NOT_TOLD:
        return {}


def _organization(calls: Calls, *, must: bool) -> Json:
    text = soql.select(("Id", "Name"), "Organization", limit=1)
    try:
        rows = answers.entries(calls.query(text, object_type="Organization"))
    except _NOT_TOLD:
        if must:
            raise
        return {}
    return rows[0] if rows else {}


def currency(calls: Calls) -> str:
    """Return the org's one currency, which only SOAP's getUserInfo tells.

    Partner WSDL GetUserInfoResult.
    """
    call = Call(
        "POST",
        SPEC.paths["partner"]["numbered"],
        content=lambda token: soap.envelope(soap.PARTNER, "<getUserInfo/>", token),
        content_type="text/xml; charset=UTF-8",
        headers={"SOAPAction": '""'},
        expects="raw",
    )
    try:
        told = soap.results(calls.http.request(call).raw)[0]
    except (*_NOT_TOLD, OutcomeUnknown):
        return ""
    if told.get("organizationMultiCurrency") == "true":
        return ""
    return told.get("orgDefaultCurrencyIsoCode", "")


def owners(calls: Calls) -> tuple[RemoteOwner, ...]:
    """List people with a full licence, the inactive included; queues are none."""

    def page(cursor: str | None) -> tuple[list[RemoteOwner], str | None]:
        text = soql.select(
            ("Id", "Name", "Email", "IsActive", "UserType"),
            "User",
            "UserType = 'Standard'",
            soql.after_id(cursor),
            order=("Id",),
        )
        body = calls.query(text, object_type="User")
        found = [answers.owner(one) for one in answers.entries(body)]
        following = found[-1].id if has_more(body, len(found)) else None
        return found, following

    return tuple(walk(page))


def pipelines(calls: Calls, object_type: str) -> tuple[RemotePipeline, ...]:
    """Return the stages of opportunities as one pipeline; other objects have none."""
    facts = object_facts(object_type)
    if not facts.has_pipelines:
        return ()
    text = soql.select(
        ("ApiName", "MasterLabel", "IsClosed", "IsWon", "DefaultProbability"),
        "OpportunityStage",
        "IsActive = true",
        order=("SortOrder",),
    )
    body = calls.query(text, object_type="OpportunityStage")
    stages = tuple(answers.stage(one) for one in answers.entries(body))
    return (RemotePipeline(object_type, facts.label, stages),)
