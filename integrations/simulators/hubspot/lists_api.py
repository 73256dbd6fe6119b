"""Lists v3: manual and snapshot lists; the members of dynamic ones are not computed."""

from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import Call, Route, names_in, number_in
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

KINDS = ("MANUAL", "DYNAMIC", "SNAPSHOT")
MAX_ADDED_FROM = 100_000


def _lists(call: Call) -> dict[str, Json]:
    return call.portal.documents("lists")


def _list(call: Call, number: str) -> Json:
    found = _lists(call).get(number)
    if found is None or found.get("deletedAt"):
        raise errors.not_found(f"List {number} does not exist")
    return found


def _members(call: Call, number: str) -> dict[str, int]:
    """Return record id -> when it joined (epoch ms)."""
    kept: dict[str, int] = call.portal.documents("members").get(number, {})
    return dict(kept)


def create_list(call: Call) -> Reply:
    """POST {name, objectTypeId, processingType, filterBranch?}."""
    body = call.body()
    name, kind = str(body.get("name") or ""), body.get("processingType")
    table = call.portal.crm_table(str(body.get("objectTypeId")))
    if not name or kind not in KINDS or table is None:
        raise errors.bad_request(
            "Invalid input JSON: name, objectTypeId and processingType are needed"
        )
    if _by_name(call, table, name) is not None:
        raise errors.bad_request(f'A list named "{name}" already exists')
    now = iso(call.world.now_ms())
    made: Json = {
        "listId": str(len(_lists(call)) + 1),
        "listVersion": 1,
        "name": name,
        "objectTypeId": table.kind.type_id,
        "processingType": kind,
        "processingStatus": "COMPLETE",
        "createdAt": now,
        "updatedAt": now,
    }
    if body.get("filterBranch"):
        made["filterBranch"] = body["filterBranch"]
    call.portal.do(["doc", "lists", made["listId"], made])
    return json_reply({"list": made | {"size": 0}})


def read_list(call: Call) -> Reply:
    """GET /{listId}?includeFilters=."""
    return json_reply({"list": _shown(call, _list(call, call.args[0]))})


def read_list_by_name(call: Call) -> Reply:
    """GET /object-type-id/{type}/name/{name}."""
    found = _by_name(call, call.table(0), call.args[1])
    if found is None:
        raise errors.not_found(f"List {call.args[1]} does not exist")
    return json_reply({"list": _shown(call, found)})


def read_lists(call: Call) -> Reply:
    """GET ?listIds=: several by id."""
    wanted = call.request.names("listIds")
    found = [_lists(call)[number] for number in wanted if number in _lists(call)]
    return json_reply({"lists": [_shown(call, item) for item in found]})


def search_lists(call: Call) -> Reply:
    """POST {query, count, offset, processingTypes}: offset based."""
    body = call.body()
    query = str(body.get("query") or "").lower()
    kinds = names_in(body, "processingTypes") or KINDS
    count, offset = number_in(body, "count", 20), number_in(body, "offset", 0)
    found = [
        item
        for item in _lists(call).values()
        if query in item["name"].lower()
        and item["processingType"] in kinds
        and not item.get("deletedAt")
    ]
    page = [
        {k: v for k, v in item.items() if k != "filterBranch"}
        | {"additionalProperties": {"hs_list_size": str(_size(call, item))}}
        for item in found[offset : offset + count]
    ]
    reached = offset + len(page)
    return json_reply(
        {
            "lists": page,
            "total": len(found),
            "offset": reached,
            "hasMore": reached < len(found),
        }
    )


def rename_list(call: Call) -> Reply:
    """PUT /{listId}/update-list-name?listName=."""
    found, name = _list(call, call.args[0]), call.request.first("listName")
    if not name:
        raise errors.bad_request("listName is required")
    changed = found | {"name": name, "updatedAt": iso(call.world.now_ms())}
    call.portal.do(["doc", "lists", found["listId"], changed])
    return json_reply({"updatedList": _shown(call, changed)})


def delete_list(call: Call) -> Reply:
    """DELETE: 204, restorable."""
    found = _list(call, call.args[0])
    gone = found | {"deletedAt": iso(call.world.now_ms())}
    call.portal.do(["doc", "lists", found["listId"], gone])
    return Reply(204)


def restore_list(call: Call) -> Reply:
    """PUT /{listId}/restore: 204."""
    found = _lists(call).get(call.args[0])
    if found is None:
        raise errors.not_found(f"List {call.args[0]} does not exist")
    back = {k: v for k, v in found.items() if k != "deletedAt"}
    call.portal.do(["doc", "lists", found["listId"], back])
    return Reply(204)


def add_members(call: Call) -> Reply:
    """PUT a bare JSON array of record ids."""
    return _change_members(call, add=_ids(call.any_body()), remove=[])


def remove_members(call: Call) -> Reply:
    """PUT a bare JSON array of record ids."""
    return _change_members(call, add=[], remove=_ids(call.any_body()))


def change_members(call: Call) -> Reply:
    """PUT {recordIdsToAdd, recordIdsToRemove}."""
    body = call.body()
    add, remove = body.get("recordIdsToAdd"), body.get("recordIdsToRemove")
    return _change_members(call, add=_ids(add or []), remove=_ids(remove or []))


def remove_all_members(call: Call) -> Reply:
    """DELETE /{listId}/memberships: 204."""
    found = _editable(call)
    call.portal.do(["doc", "members", found["listId"], {}])
    return Reply(204)


def add_from(call: Call) -> Reply:
    """PUT /{listId}/memberships/add-from/{sourceListId}: 204."""
    found, source = _editable(call), _list(call, call.args[1])
    added = _members(call, source["listId"])
    if len(added) > MAX_ADDED_FROM:
        raise errors.bad_request(f"The source list has over {MAX_ADDED_FROM} members")
    now = call.world.now_ms()
    members = dict.fromkeys(added, now) | _members(call, found["listId"])
    call.portal.do(["doc", "members", found["listId"], members])
    return Reply(204)


def _change_members(call: Call, *, add: list[str], remove: list[str]) -> Reply:
    found, now = _editable(call), call.world.now_ms()
    table = call.portal.table(found["objectTypeId"])
    members = _members(call, found["listId"])
    missing = [n for n in add if table is None or table.live(n) is None]
    added = [n for n in add if n not in missing and n not in members]
    removed = [n for n in remove if n in members]
    members |= dict.fromkeys(added, now)
    members = {n: at for n, at in members.items() if n not in removed}
    call.portal.do(["doc", "members", found["listId"], members])
    return json_reply(
        {
            "recordsIdsAdded": added,
            "recordIdsRemoved": removed,
            "recordIdsMissing": missing,
        }
    )


def _editable(call: Call) -> Json:
    found = _list(call, call.args[0])
    if found["processingType"] == "DYNAMIC":
        raise errors.bad_request("The members of a DYNAMIC list cannot be changed")
    return found


def _ids(raw: Any) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(n, str | int) for n in raw):
        raise errors.bad_request(
            "Invalid input JSON: a list of record ids was expected"
        )
    return list(dict.fromkeys(str(number) for number in raw))


def members_by_id(call: Call) -> Reply:
    """GET /{listId}/memberships?limit<=250&after: by record id."""
    return _member_page(call, lambda item: int(item[0]))


def members_by_join(call: Call) -> Reply:
    """GET /{listId}/memberships/join-order: by when they joined."""
    return _member_page(call, lambda item: (item[1], int(item[0])))


def _member_page(call: Call, order: Any) -> Reply:
    found = _list(call, call.args[0])
    limit, after = call.limit(default=100, most=250), call.after()
    members = sorted(_members(call, found["listId"]).items(), key=order)
    page = [
        {"recordId": number, "membershipTimestamp": iso(at)}
        for number, at in members[after : after + limit]
    ]
    payload: Json = {"results": page, "total": len(members)}
    if after + limit < len(members):
        token = str(after + limit)
        payload["paging"] = {"next": {"after": token, "link": f"?after={token}"}}
    return json_reply(payload)


def record_lists(call: Call) -> Reply:
    """GET /records/{type}/{id}/memberships: the lists a record is in."""
    results = []
    for number, item in _lists(call).items():
        at = _members(call, number).get(call.args[1])
        if at is not None and item["objectTypeId"] == call.table(0).kind.type_id:
            results.append(
                {
                    "listId": number,
                    "listVersion": item["listVersion"],
                    "firstAddedTimestamp": iso(at),
                    "lastAddedTimestamp": iso(at),
                }
            )
    return json_reply({"results": results, "total": len(results)})


def _by_name(call: Call, table: RecordTable, name: str) -> Json | None:
    for item in _lists(call).values():
        same = item["name"] == name and item["objectTypeId"] == table.kind.type_id
        if same and not item.get("deletedAt"):
            return item
    return None


def _size(call: Call, item: Json) -> int:
    return len(_members(call, item["listId"]))


def _shown(call: Call, item: Json) -> Json:
    filters = call.request.flag("includeFilters")
    shown = {k: v for k, v in item.items() if filters or k != "filterBranch"}
    return shown | {"size": _size(call, item)}


reads, writes = fixed("crm.lists.read"), fixed("crm.lists.write")
_MEMBERS = "{id}/memberships"
_NAMED = "object-type-id/{type}/name/{name}"
ROUTES = [
    Route("lists", "POST", "", create_list, writes),
    Route("lists", "GET", "", read_lists, reads),
    Route("lists", "POST", "search", search_lists, reads),
    Route("lists", "GET", "{id}", read_list, reads),
    Route("lists", "DELETE", "{id}", delete_list, writes),
    Route("lists", "PUT", "{id}/restore", restore_list, writes),
    Route("lists", "PUT", "{id}/update-list-name", rename_list, writes),
    Route("lists", "GET", _NAMED, read_list_by_name, reads),
    Route("lists", "GET", "records/{type}/{id}/memberships", record_lists, reads),
    Route("lists", "GET", _MEMBERS, members_by_id, reads),
    Route("lists", "DELETE", _MEMBERS, remove_all_members, writes),
    Route("lists", "GET", f"{_MEMBERS}/join-order", members_by_join, reads),
    Route("lists", "PUT", f"{_MEMBERS}/add", add_members, writes),
    Route("lists", "PUT", f"{_MEMBERS}/remove", remove_members, writes),
    Route("lists", "PUT", f"{_MEMBERS}/add-and-remove", change_members, writes),
    Route("lists", "PUT", f"{_MEMBERS}/add-from/{{id}}", add_from, writes),
]
