"""Facts about HubSpot, as data.

PURE. Sources: "guide" is developers.hubspot.com, read March 2026 (J25: the copy of
January 2025); "SDK" is HubSpot/hubspot-api-python 12.0.0.
"""

import re

from integrations.connectors.spec import (
    BatchSizes,
    DailyHeaders,
    OAuthFacts,
    ObjectFacts,
    OwnKey,
    RateHeaders,
    RateLimit,
    SearchCaps,
    VendorSpec,
)
from integrations.records import RemoteField, RemoteOption

OWN_KEY = "crmsync_id"

# guide usage-guidelines (J25) and the rate-limit-headers changelog.
_BURST = "guide usage-guidelines J25"
# "Per token" in J25, "per account" in the search guide of 2026: assume the account.
_SEARCH_LIMIT = RateLimit("search", 5, 1, "guide crm/search")

# SDK hubspot/crm/association_type.py. Direction matters: A to B is not B to A.
_ASSOCIATIONS = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("contacts", "deals"): 4,
    ("deals", "contacts"): 3,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("notes", "contacts"): 202,
    ("notes", "companies"): 190,
    ("notes", "deals"): 214,
    ("tasks", "contacts"): 204,
    ("tasks", "companies"): 192,
    ("tasks", "deals"): 216,
    ("calls", "contacts"): 194,
    ("calls", "companies"): 182,
    ("calls", "deals"): 206,
    ("emails", "contacts"): 198,
    ("emails", "companies"): 186,
    ("emails", "deals"): 210,
    ("meetings", "contacts"): 200,
    ("meetings", "companies"): 188,
    ("meetings", "deals"): 212,
    # guide crm/associations; 578 is the primary contact, which a lead must have.
    ("leads", "contacts"): 578,
    ("leads", "companies"): 610,
    ("notes", "leads"): 855,
    ("tasks", "leads"): 647,
}

# SDK, as above; guide crm/associations: at most one other record is the primary one,
# and what is given the primary type takes it from what had it.
_MAIN = {
    ("contacts", "companies"): 1,
    ("deals", "companies"): 5,
    ("leads", "contacts"): 578,
    ("leads", "companies"): 580,
}

_DOCS = "https://developers.hubspot.com/docs/api-reference/legacy/crm"


def _object(  # one line per object below; the defaults are HubSpot's usual case
    name: str,
    label: str,
    type_id: str,
    *,
    keys: tuple[str, ...] = (OWN_KEY,),
    modified_field: str = "hs_lastmodifieddate",
    required: tuple[str, ...] = (),
    has_pipelines: bool = False,
    stage_field: str = "",
    pipeline_field: str = "",
    has_page: bool = False,
) -> ObjectFacts:
    return ObjectFacts(
        name=name,
        label=label,
        type_id=type_id,
        keys=keys,
        modified_field=modified_field,
        required=required,
        has_pipelines=has_pipelines,
        stage_field=stage_field,
        pipeline_field=pipeline_field,
        has_page=has_page,
        docs=f"{_DOCS}/objects/{name}/guide",
    )


# Required on create: guide crm/objects/<type>. A contact needs one of e-mail,
# first and last name, a company its name or domain; that is not a list of fields.
_OBJECTS = (
    _object(
        "contacts",
        "Contacts",
        "0-1",
        keys=("email", OWN_KEY),
        modified_field="lastmodifieddate",
        has_page=True,
    ),
    _object("companies", "Companies", "0-2", has_page=True),
    _object(
        "deals",
        "Deals",
        "0-3",
        required=("dealname", "dealstage"),
        has_pipelines=True,
        stage_field="dealstage",
        pipeline_field="pipeline",
        has_page=True,
    ),
    _object("notes", "Notes", "0-46", required=("hs_timestamp",)),
    _object("tasks", "Tasks", "0-27", required=("hs_timestamp",)),
    _object("calls", "Calls", "0-48", required=("hs_timestamp",)),
    _object(
        "emails", "E-mails", "0-49", required=("hs_timestamp", "hs_email_direction")
    ),
    _object("meetings", "Meetings", "0-47", required=("hs_timestamp",)),
    _object("leads", "Leads", "0-136", required=("hs_lead_name",), has_pipelines=True),
)


CAMPAIGNS, CAMPAIGN_NAME = "campaigns", "hs_name"
# HubSpot's OpenAPI of /marketing/v3/campaigns: at most 50 inputs a call, ids are UUIDs,
# a list of up to 100 a page. In the CRM API, which is not used for them, a campaign has
# another id, a number. No page address is documented.
_CAMPAIGNS = ObjectFacts(
    name=CAMPAIGNS,
    label="Campaigns",
    type_id="0-35",
    keys=(),
    # Stands beside the properties of an answer, and is what its list is sorted by.
    modified_field="updatedAt",
    required=(CAMPAIGN_NAME,),
    docs="https://developers.hubspot.com/docs/api-reference/legacy/marketing/campaigns/guide",
    batch=50,
)
CAMPAIGN_LIST_PAGE = 100
# Name, dates, notes and status: the examples in guide marketing/campaigns and OpenAPI.
# UNCONFIRMED, in third-party code only: audience, currency, utm, and the types of all;
# that the status takes these five words, so that it is left open to others.
_STATUSES = ("planned", "in_progress", "active", "paused", "completed")
CAMPAIGN_FIELDS = (
    RemoteField(CAMPAIGN_NAME, "Campaign name", "text", required=True),
    RemoteField("hs_start_date", "Start date", "date"),
    RemoteField("hs_end_date", "End date", "date"),
    RemoteField("hs_notes", "Notes", "text"),
    RemoteField("hs_audience", "Audience", "text"),
    RemoteField("hs_currency_code", "Currency", "text"),
    RemoteField(
        "hs_campaign_status",
        "Status",
        "enum",
        options=tuple(
            RemoteOption(one, one.replace("_", " ").capitalize()) for one in _STATUSES
        ),
    ),
    # July 2025 changelog "new campaign api updates": utm can be read and written.
    RemoteField("hs_utm", "UTM campaign", "text"),
)


def object_facts(object_type: str) -> ObjectFacts:
    """Return what is known of an object; custom objects follow the usual case."""
    known = SPEC.objects.get(object_type)
    return known or _object(object_type, object_type, object_type)


SPEC = VendorSpec(
    name="hubspot",
    label="HubSpot",
    # guide authentication/working-with-oauth J25, manage-oauth-tokens. PKCE: the
    # token call takes a code_verifier, the authorize page documents no challenge;
    # RFC 9700 tells a server that saw no challenge to refuse the verifier, so none is
    # sent on a guess. Rotation of the refresh token: sources disagree.
    oauth=OAuthFacts(
        authorize_path="/oauth/authorize",
        token_path="/oauth/v3/token",
        introspect_path="/oauth/v1/access-tokens/{token}",
        revoke_path="/oauth/v3/token/revoke",
        scopes=(
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.objects.companies.read",
            "crm.objects.companies.write",
            "crm.objects.deals.read",
            "crm.objects.deals.write",
            "crm.objects.owners.read",
            "crm.schemas.contacts.read",
            "crm.schemas.contacts.write",
            "crm.schemas.companies.read",
            "crm.schemas.companies.write",
            "crm.schemas.deals.read",
            "crm.schemas.deals.write",
        ),
        # guide marketing/campaigns. Accounts below Marketing Hub Professional do not
        # have them and must still be able to connect. Only forms need the last one; a
        # private app is given it by hand.
        optional_scopes=(
            "marketing.campaigns.read",
            "marketing.campaigns.write",
            "forms",
        ),
        pkce=False,
        token_lifetime_s=1800,
        refresh_rotates=None,
        pinned_path="/oauth/{account}/authorize",
        account_field="hub_id",
    ),
    # Two styles live side by side with the same bodies; the sunset of the numbered
    # one is not announced, so each family can be switched by itself.
    paths={
        "objects": {
            "numbered": "/crm/v3/objects",
            "dated": "/crm/objects/2026-03",
        },
        "associations": {
            "numbered": "/crm/v4/associations",
            "dated": "/crm/associations/2026-03",
        },
        "properties": {
            "numbered": "/crm/v3/properties",
            "dated": "/crm/properties/2026-03",
        },
        "owners": {"numbered": "/crm/v3/owners/", "dated": "/crm/owners/2026-03"},
        "pipelines": {
            "numbered": "/crm/v3/pipelines",
            "dated": "/crm/pipelines/2026-03",
        },
        "oauth_token_info": {
            "numbered": "/oauth/v1/access-tokens",
            "dated": "/oauth/v1/access-tokens",
        },
        # What a private app's token says of itself. UNCONFIRMED: third-party code
        # calls it, no guide we read names it; `check` goes on without it.
        "private_token_info": {
            "numbered": "/oauth/v2/private-apps/get/access-token-info",
            "dated": "/oauth/v2/private-apps/get/access-token-info",
        },
        # guide account/account-information
        "account": {
            "numbered": "/account-info/v3/details",
            "dated": "/account-info/2026-03/details",
        },
        # OpenAPI, as above
        "campaigns": {
            "numbered": "/marketing/v3/campaigns",
            "dated": "/marketing/campaigns/2026-03",
        },
        # API description marketing/forms v3. A dated form of these is not known.
        "forms": {"numbered": "/marketing/v3/forms", "dated": "/marketing/v3/forms"},
        # UNCONFIRMED: third-party code (tap-hubspot) calls it, no guide we read does.
        "submissions": {
            "numbered": "/form-integrations/v1/submissions/forms",
            "dated": "/form-integrations/v1/submissions/forms",
        },
    },
    objects={facts.name: facts for facts in (*_OBJECTS, _CAMPAIGNS)},
    associations=_ASSOCIATIONS,
    main_ties=_MAIN,
    no_ties=frozenset(
        pair
        for other in _OBJECTS
        for pair in ((CAMPAIGNS, other.name), (other.name, CAMPAIGNS))
    ),
    # guide crm/using-object-apis; crm/associations
    batch=BatchSizes(
        read=100, write=100, associations_read=1000, associations_write=2000
    ),
    # guide crm/search
    search=SearchCaps(page=200, total=10_000, filters=6, body_chars=3000),
    limits={
        "oauth": (RateLimit("api", 110, 10, _BURST), _SEARCH_LIMIT),
        # The smallest plan's; the headers tell the real one on the first call.
        "token": (RateLimit("api", 100, 10, _BURST), _SEARCH_LIMIT),
    },
    # Not on search answers. The "-Secondly" ones are deprecated.
    rate_headers=(
        RateHeaders(
            bucket="api",
            amount="X-HubSpot-RateLimit-Max",
            remaining="X-HubSpot-RateLimit-Remaining",
            interval_ms="X-HubSpot-RateLimit-Interval-Milliseconds",
        ),
    ),
    daily=DailyHeaders(
        limit="X-HubSpot-RateLimit-Daily",
        remaining="X-HubSpot-RateLimit-Daily-Remaining",
    ),
    # Only rates are limited; 190 calls in 10 s need four calls of 200 ms under way at
    # each moment, and as many being prepared and written down.
    concurrency=8,
    own_key=OwnKey(
        name=OWN_KEY,
        label="crmsync id",
        group="crmsync",
        group_label="crmsync",
        description="The record's id in crmsync. Do not edit: it prevents duplicates.",
    ),
    docs={
        "scopes": "https://developers.hubspot.com/scopes",
        "limits": "https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines",
        "private app": "https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview",
    },
    # "Only moves forward; to go back, clear it first": guide crm/properties.
    forward_only=frozenset(
        {("contacts", "lifecyclestage"), ("companies", "lifecyclestage")}
    ),
    # People sign in where they see the records.
    record_page="{host}/contacts/{account}/record/{type_id}/{id}",
    page_host="HUBSPOT_AUTH_URL",
    has_forms=True,
)

# UNCONFIRMED header names; bodies carry a documented correlationId on failure.
REQUEST_ID_HEADERS = ("x-hubspot-correlation-id", "x-request-id")
PRIVATE_APP_PREFIX = "pat-"  # how the token of a private app begins
# Objects with a merge call, by the API's own description of each. Where the ids that
# lost are kept: guide crm/objects/contacts.
MERGEABLE = frozenset({"contacts", "companies", "deals"})
MERGED_FIELD = "hs_merged_object_ids"
# UNCONFIRMED cap, seen in third-party code only.
SUBMISSIONS_PAGE = 50
FORM_FIELDS = 1000  # guide marketing/forms: most fields of a submission
FORM_TEXT = 10_000  # ours: of one answer, no more is kept
FORM_ID = re.compile(r"[A-Za-z0-9-]{1,60}")  # a GUID, as far as seen
LIST_PAGE = 100  # guide crm/using-object-apis
# No limit of an address is documented; RFC 9110 4.1 asks everyone to take 8,000.
MAX_QUERY = 7_000
# Inputs of a batch read with history. UNCONFIRMED: the guide says 100 for any batch,
# third parties were refused more than 50.
HISTORY_BATCH = 50
MAX_TEXT = 65_536  # guide crm/properties: characters in a string property
LOCK_S = 2.0  # guide usage-guidelines: a 423 lock lasts two seconds
