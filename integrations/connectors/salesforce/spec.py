"""Facts about Salesforce, as data.

PURE. Sources: "REST", "BULK" are developer.salesforce.com's guides of those names (v62
to v68), "LIM" its App Limits cheat sheet; "describe" is a recorded describe call.
"""

from integrations.connectors.spec import (
    BatchSizes,
    DailyHeaders,
    OAuthFacts,
    ObjectFacts,
    OwnKey,
    SearchCaps,
    VendorSpec,
)

OWN_KEY = "Crmsync_Id__c"
API_VERSION = "64.0"
DATA = f"/services/data/v{API_VERSION}"

# What a write says of itself. The client's name comes back in change events, so it must
# stay; rules would give records to others; an alert about a duplicate is for people at
# a screen (REST headers_duplicaterules). REST: headers_autoassign, headers_calloptions.
CLIENT = "crmsync"
WRITE_HEADERS = {
    "Sforce-Call-Options": f"client={CLIENT}",
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Duplicate-Rule-Header": (
        "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"
    ),
}
READ_HEADERS = {
    "Sforce-Call-Options": f"client={CLIENT}",
    "Sforce-Query-Options": "batchSize=2000",
}

# Which field holds the id of the other record. describe: referenceTo.
WHO, WHAT = "WhoId", "WhatId"
_REFERENCES = {
    ("Contact", "Account"): "AccountId",
    ("Opportunity", "Account"): "AccountId",
    ("Opportunity", "Campaign"): "CampaignId",
    ("Task", "Lead"): WHO,
    ("Task", "Contact"): WHO,
    ("Task", "Account"): WHAT,
    ("Task", "Opportunity"): WHAT,
    ("Task", "Campaign"): WHAT,
    ("Event", "Lead"): WHO,
    ("Event", "Contact"): WHO,
    ("Event", "Account"): WHAT,
    ("Event", "Opportunity"): WHAT,
    ("Event", "Campaign"): WHAT,
    ("CampaignMember", "Campaign"): "CampaignId",
    ("CampaignMember", "Lead"): "LeadId",
    ("CampaignMember", "Contact"): "ContactId",
}
# Fields that a create takes and an update does not (describe: updateable false). This
# one makes the contact's role, as the primary one (object reference: Opportunity).
CREATE_ONLY = {("Opportunity", "Contact"): "ContactId"}
# (object, object) -> the object between them, its field for each of the two.
JUNCTIONS = {
    ("Opportunity", "Contact"): (
        "OpportunityContactRole",
        "OpportunityId",
        "ContactId",
    ),
    ("Lead", "Campaign"): ("CampaignMember", "LeadId", "CampaignId"),
    ("Contact", "Campaign"): ("CampaignMember", "ContactId", "CampaignId"),
}
# Object between two -> the field whose record has one main row among its rows, and the
# field that marks it. Of these the same two can have several rows, as people may want
# (object reference: OpportunityContactRole); a second member of a campaign is refused.
MAIN_ROWS = {"OpportunityContactRole": ("OpportunityId", "IsPrimary")}
# Both sides of people and of activities by these alone; REST: idLookup in describe.
ID_LOOKUPS = {"Lead": ("Email",), "Contact": ("Email",)}
# describe: mergeable; the record that lost names its survivor in this field.
MERGEABLE = frozenset({"Lead", "Contact", "Account"})
MASTER = "MasterRecordId"
# What a converted lead became: our name of the object -> the field that holds its id.
BECAME = {
    "Contact": "ConvertedContactId",
    "Account": "ConvertedAccountId",
    "Opportunity": "ConvertedOpportunityId",
}
# Custom fields of these two are those of the object behind them.
BEHIND = {"Task": "Activity", "Event": "Activity"}
# Object -> (its field history, the field there that names the record). Tasks and events
# keep none; custom objects have `<name>__History` with ParentId.
HISTORIES = {
    "Lead": ("LeadHistory", "LeadId"),
    "Contact": ("ContactHistory", "ContactId"),
    "Account": ("AccountHistory", "AccountId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}


def _object(  # one line per object below; the defaults are Salesforce's usual case
    name: str,
    label: str,
    prefix: str,
    *,
    required: tuple[str, ...] = (),
    has_pipelines: bool = False,
    stage_field: str = "",
    has_page: bool = True,
    known_by_ties: bool = False,
) -> ObjectFacts:
    return ObjectFacts(
        name=name,
        label=label,
        type_id=prefix,
        keys=(OWN_KEY,),
        modified_field="SystemModstamp",
        required=required,
        has_pipelines=has_pipelines,
        stage_field=stage_field,
        has_page=has_page,
        known_by_ties=known_by_ties,
        docs=f"https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_{name.lower()}.htm",
    )


# Key prefixes: FACTS section 1. Required on create: describe, createable and neither
# nillable nor defaulted.
_OBJECTS = (
    _object("Lead", "Leads", "00Q", required=("LastName", "Company")),
    _object("Contact", "Contacts", "003", required=("LastName",)),
    _object("Account", "Accounts", "001", required=("Name",)),
    _object(
        "Opportunity",
        "Opportunities",
        "006",
        required=("Name", "StageName", "CloseDate"),
        has_pipelines=True,
        stage_field="StageName",
    ),
    _object("Task", "Tasks", "00T"),
    _object("Event", "Events", "00U", required=("DurationInMinutes",)),
    _object("Campaign", "Campaigns", "701", required=("Name",)),
    _object(
        "CampaignMember",
        "Campaign members",
        "00v",
        required=("CampaignId",),
        has_page=False,
        # FACTS: a second one of the same two is refused as DUPLICATE_VALUE.
        known_by_ties=True,
    ),
)


def object_facts(object_type: str) -> ObjectFacts:
    """Return what is known of an object; custom objects follow the usual case."""
    known = SPEC.objects.get(object_type)
    return known or _object(object_type, object_type, "")


SPEC = VendorSpec(
    name="salesforce",
    label="Salesforce",
    # FACTS section 2. A token's lifetime is the org's session setting and no part of
    # the answer; introspection tells it. A refresh token is rotated only where an admin
    # switched that on, so whatever an answer brings is kept.
    oauth=OAuthFacts(
        authorize_path="/services/oauth2/authorize",
        token_path="/services/oauth2/token",
        introspect_path="/services/oauth2/introspect",
        revoke_path="/services/oauth2/revoke",
        scopes=("api", "refresh_token", "id"),
        pkce=True,
        token_lifetime_s=None,
        refresh_rotates=None,
        identity_field="id",
        host_field="instance_url",
        token_host="AUTH_URL",
        revoke_secret=False,
        introspects=True,
    ),
    paths={
        "data": {"numbered": DATA},
        "userinfo": {"numbered": "/services/oauth2/userinfo"},
        "partner": {"numbered": f"/services/Soap/u/{API_VERSION}"},
        "metadata": {"numbered": f"/services/Soap/m/{API_VERSION}"},
    },
    objects={facts.name: facts for facts in _OBJECTS},
    associations={},
    references=_REFERENCES,
    # A lead belongs to nothing until it is converted. describe: no reference to it.
    no_ties=frozenset({("Opportunity", "Lead"), ("Lead", "Account")}),
    becomes={("Lead", made): field for made, field in BECAME.items()},
    # REST resources_composite_sobjects_collections; BULK: one internal batch has 10,000
    # rows. Associations are fields, or rows of an object between the two.
    batch=BatchSizes(
        read=200, write=200, associations_read=200, associations_write=200, bulk=10_000
    ),
    # REST headers_queryoptions: a page has at most 2,000 rows.
    search=SearchCaps(page=2000, total=10**9, filters=20, body_chars=12_000),
    # LIM: the limit is the org's, per day, and each answer tells what is left of it;
    # before the first answer there is nothing to keep to.
    limits={"oauth": (), "token": ()},
    rate_headers=(),
    # simple-salesforce tests: api-usage=25/5000; per-app-api-usage=17/250(appName=x).
    daily=DailyHeaders(
        usage="Sforce-Limit-Info", pattern=r"(?<![\w-])api-usage=([0-9]+)/([0-9]+)"
    ),
    own_key=OwnKey(
        name=OWN_KEY,
        label="crmsync id",
        group="crmsync",
        group_label="crmsync",
        description="The record's id in crmsync. Do not edit: it prevents duplicates.",
    ),
    docs={
        "scopes": "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm",
        "limits": "https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/",
        "app": "https://help.salesforce.com/s/articleView?id=xcloud.external_client_apps.htm",
    },
    # LIM: 25 calls of more than 20 s at once, 5 in developer orgs; stay below.
    concurrency=4,
    # Rows can commit after later-stamped ones were read: airbytehq/airbyte#27146 shows
    # five minutes.
    record_page="{host}/lightning/r/{object}/{id}/view",
    # The first is what people should type. Not *.force.com: customers' own sites are
    # there, and pages, never the API.
    host_suffixes=(".my.salesforce.com", ".salesforce.com"),
)

# UNCONFIRMED name; nothing in our sources says that there is one.
REQUEST_ID_HEADERS = ("x-request-id",)
# REST: more than 16,384 bytes of address are refused (414), with headers 431. What is
# asked for may grow by a half when it is escaped.
MAX_ADDRESS = 12_000
COLLECTION = 200
QUERY_PAGE = 2000
# FACTS section 7: bulk above about 2,000 records.
BULK_FROM = 2_001
# A job's results hold every column that was sent; together they stay below the most
# that an answer may have here. Theirs is 100 MB.
BULK_BYTES = 4_000_000
# Values of one condition; the length of the address is what mostly ends it.
VALUES_IN_QUERY = 500
# Of two conditions; an id takes some 27 characters of the address.
PAIRS_IN_QUERY = 150
# The daily limit tells no time to wait; a rolling day frees some each moment.
DAILY_PAUSE_S = 900.0
# LIM: too many long calls at once; each is over in at most this.
CONCURRENCY_PAUSE_S = 20.0
# UNCONFIRMED maximum (200 in one report): the object reference says 100.
CONVERT_BATCH = 100
OWN_KEY_LENGTH = 64
MAX_TEXT = 255  # metadata guide: characters of a Text field
