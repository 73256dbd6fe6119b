"""Converting leads, which only SOAP can."""

from collections.abc import Mapping, Sequence

from integrations.connectors.batches import settle
from integrations.connectors.messages import Call
from integrations.connectors.paging import chunks
from integrations.connectors.salesforce import answers, soap, soql
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.errors import VENDOR, error_of
from integrations.connectors.salesforce.spec import CONVERT_BATCH, SPEC
from integrations.connectors.salesforce.values import clean, is_id, long_id
from integrations.errors import Misconfigured, SyncError
from integrations.records import Conversion, WriteResult

_MADE = (
    ("Contact", "contactId"),
    ("Account", "accountId"),
    ("Opportunity", "opportunityId"),
)


def convert(calls: Calls, conversions: Sequence[Conversion]) -> list[WriteResult]:
    """Convert leads; each result's fields: object -> id of what the lead is now.

    A conversion cannot be repeated: after a lost answer the lead itself tells.
    """
    if not conversions:
        return []
    status = _converted_status(calls)

    def send(batch: Sequence[Conversion]) -> list[WriteResult]:
        return _send(calls, batch, status)

    done = settle(chunks(conversions, CONVERT_BATCH), send, _refused)
    by_ref = {result.ref: result for result in done}
    return [by_ref[one.remote_id] for one in conversions]


def _converted_status(calls: Calls) -> str:
    """Return the status of a converted lead; each org names its own."""
    text = soql.select(
        ("MasterLabel", "ApiName"), "LeadStatus", "IsConverted = true", limit=1
    )
    for entry in answers.entries(calls.query(text, object_type="LeadStatus")):
        if name := clean(entry.get("ApiName")) or clean(entry.get("MasterLabel")):
            return name
    told = "The account has no lead status that means converted"
    raise Misconfigured(told, vendor=VENDOR, field="Status")


def _send(calls: Calls, batch: Sequence[Conversion], status: str) -> list[WriteResult]:
    body = soap.convert_leads([_elements(one, status) for one in batch])
    call = Call(
        "POST",
        SPEC.paths["partner"]["numbered"],
        content=lambda token: soap.envelope(
            soap.PARTNER, body, token, soap.WRITE_HEADERS
        ),
        content_type="text/xml; charset=UTF-8",
        headers={"SOAPAction": '""'},
        inputs=len(batch),
        object_type="Lead",
        repeatable=False,
        expects="raw",
    )
    by_id = {
        long_id(told.get("leadId", "")): told
        for told in soap.results(calls.http.request(call).raw)
    }
    return [_outcome(one, by_id.get(long_id(one.remote_id))) for one in batch]


def _elements(one: Conversion, status: str) -> soap.Values:
    """Return what the schema wants, in its order; what is not given is left out."""
    values = (
        ("accountId", one.company_id),
        ("contactId", one.contact_id),
        ("convertedStatus", status),
        ("doNotCreateOpportunity", "false" if one.with_deal else "true"),
        ("leadId", one.remote_id),
        ("opportunityName", one.deal_name if one.with_deal else None),
        ("overwriteLeadSource", "false"),
        ("sendNotificationEmail", "false"),
    )
    return [(name, text) for name, text in values if text]


def _outcome(one: Conversion, told: Mapping[str, str] | None) -> WriteResult:
    if told is None:
        return _refused(one, answers.unanswered("Lead"))
    if told.get("success") != "true":
        words = {"statusCode": told.get("error"), "message": told.get("message")}
        return _refused(one, error_of(words, 400))
    made = {name: told[key] for name, key in _MADE if is_id(told.get(key, ""))}
    fields = {name: long_id(remote_id) for name, remote_id in made.items()}
    return WriteResult(one.remote_id, one.remote_id, created=False, fields=fields)


def _refused(one: Conversion, error: SyncError) -> WriteResult:
    return WriteResult(one.remote_id, None, None, {}, error)
