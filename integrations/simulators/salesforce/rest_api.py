"""The resources beside records: versions, limits, describes."""

from email.utils import formatdate

from integrations.simulators.salesforce import access
from integrations.simulators.salesforce.call import Call, Route, moment_of
from integrations.simulators.salesforce.defaults import BORN
from integrations.simulators.salesforce.definitions import SYSTEM_TIMES
from integrations.simulators.salesforce.deleting import DEPENDANTS
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json, Reply, json_reply

OLDEST, NEWEST = 31, 66
RETIRED = range(7, OLDEST)
_SEASONS = ("Spring", "Summer", "Winter")


def versions() -> list[Json]:
    """Return what GET /services/data lists, without any session."""
    return [
        {"label": _label(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
        for n in range(OLDEST, NEWEST + 1)
    ]


def _label(number: int) -> str:
    """Return a release's name: three a year, 66 being Spring '26."""
    season = _SEASONS[number % 3]
    year = 26 + (number - NEWEST) // 3 + (season == "Winter")
    return f"{season} '{year}"


def _resources(call: Call) -> Reply:
    names = ("composite", "jobs", "limits", "query", "queryAll", "sobjects", "tooling")
    return json_reply({name: f"{call.base}/{name}" for name in names})


def _limits(call: Call) -> Reply:
    most = call.world.settings.daily_limit
    left = max(0, most - access.used_calls(call.world, call.org))
    return json_reply(
        {
            "DailyApiRequests": {"Max": most, "Remaining": left},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
            "DailyBulkV2QueryFileStorageMB": {"Max": 976562, "Remaining": 976562},
            "HourlyLongTermIdMapping": {"Max": 100000, "Remaining": 100000},
        }
    )


def _global(call: Call) -> Reply:
    return json_reply(
        {
            "encoding": "UTF-8",
            "maxBatchSize": 200,
            "sobjects": [
                t.kind.summary(call.version) for t in call.org.tables.values()
            ],
        }
    )


def _object_info(call: Call) -> Reply:
    table = call.table()
    recent: list[Json] = []
    summary = table.kind.summary(call.version)
    return json_reply({"objectDescribe": summary, "recentItems": recent})


def _describe(call: Call) -> Reply:
    table = call.table()
    changed = call.org.documents("describe_changed").get(table.name, {"at": BORN})["at"]
    since = call.request.header("If-Modified-Since")
    headers = [("Last-Modified", formatdate(changed, usegmt=True))]
    if since and moment_of(since) >= int(changed):
        return Reply(304, headers=headers)
    return json_reply(describe(call, table), headers=headers)


def describe(call: Call, table: Table) -> Json:
    """Return an object with the fields its caller sees."""
    kind = table.kind
    fields = [made.describe() for made in call.access.fields(table)]
    for shown in fields:
        if shown["name"] in SYSTEM_TIMES or not call.access.may_edit(
            table, table.fields[shown["name"]]
        ):
            shown["createable"] = shown["updateable"] = False
    return kind.summary(call.version) | {
        "actionOverrides": [],
        "childRelationships": list(_children(kind.name)),
        "compactLayoutable": True,
        "fields": fields,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master(call, kind.name)],
        "searchLayoutable": kind.createable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {kind.plural}", "name": "everything"}],
    }


def _children(name: str) -> list[Json]:
    return [
        {
            "cascadeDelete": True,
            "childSObject": child,
            "deprecatedAndHidden": False,
            "field": reference,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": child + "s",
            "restrictedDelete": False,
        }
        for child, reference in DEPENDANTS.get(name, ())
    ]


def _master(call: Call, name: str) -> Json:
    number = "012000000000000AAA"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": number,
        "urls": {"layout": f"{call.base}/sobjects/{name}/describe/layouts/{number}"},
    }


ROUTES = [
    Route("GET", "", _resources),
    Route("GET", "limits", _limits),
    Route("GET", "sobjects", _global),
    Route("GET", "sobjects/{type}", _object_info),
    Route("GET", "sobjects/{type}/describe", _describe),
]
