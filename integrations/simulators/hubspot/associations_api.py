"""Associations v4: single, batch, and their labels."""

from integrations.simulators.hubspot import errors, linking
from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.batch_api import batch_reply
from integrations.simulators.hubspot.call import DATED, Call, Route
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import of_records
from integrations.simulators.hubspot.views import is_live
from integrations.simulators.hubspot.writer import Writer
from integrations.simulators.wire import Json, Reply, json_reply

VERSIONS = frozenset({"v4"}) | DATED
Pair = tuple[tuple[str, int], tuple[str, int]]


def read(call: Call) -> Reply:
    """GET /{a}/{id}/associations/{b}?limit&after: partners ordered by id."""
    source, target = call.table(0), call.table(2)
    record = source.live(call.args[1])
    if record is None:
        raise errors.not_found()
    limit, after = call.limit(default=500, most=500), call.after()
    partners = _partners(call, source, record.id, target, after)
    payload: Json = {"results": [shown for _, shown in partners[:limit]]}
    if len(partners) > limit:
        last = str(partners[limit - 1][0])
        payload["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
    return json_reply(payload)


def _partners(
    call: Call, source: RecordTable, number: int, target: RecordTable, after: int
) -> list[tuple[int, Json]]:
    near, far = source.kind.name, target.kind.name
    found = sorted(call.portal.linked(near, number, far).items())
    return [
        (other, _partner(call, near, far, other, labels))
        for other, labels in found
        if other > after and is_live(target, other)
    ]


def _partner(
    call: Call, near: str, far: str, other: int, labels: dict[tuple[str, int], None]
) -> Json:
    types = linking.shown_types(call.portal, near, far, labels)
    return {"toObjectId": str(other), "associationTypes": types}


def associate(call: Call) -> Reply:
    """PUT /{a}/{id}/associations/{b}/{id2} [{category, type}]: replaces labels, 201."""
    source, target = call.table(0), call.table(2)
    pair = _pair(source, call.args[1], target, call.args[3])
    types = linking.spec_types(
        call.portal, source.kind.name, call.any_body(), target.kind.name
    )
    writer = call.writer()
    writer.join(*pair, types, replace=True)
    call.done(writer)
    return json_reply(_labels_between(source, target, pair, types), 201)


def associate_default(call: Call) -> Reply:
    """PUT /{a}/{id}/associations/default/{b}/{id2}."""
    source, target = call.table(0), call.table(2)
    started, writer = call.world.now_ms(), call.writer()
    pair = _pair(source, call.args[1], target, call.args[3])
    results = _join_default(call, writer, pair)
    call.done(writer)
    return batch_reply(call, started, results, [], status=200)


def _join_default(call: Call, writer: Writer, pair: Pair) -> list[Json]:
    source, target = pair
    plain = call.portal.plain_type(source[0], target[0])
    if plain is None:
        message = f"{source[0]} cannot be associated with {target[0]}"
        raise errors.bad_request(message)
    writer.join(source, target, [plain])
    return [
        _default_result(source[1], target[1], plain.category, plain.id),
        _default_result(target[1], source[1], plain.category, plain.inverse),
    ]


def _default_result(near: int, far: int, category: str, number: int) -> Json:
    spec = {"associationCategory": category, "associationTypeId": number}
    return {
        "from": {"id": str(near)},
        "to": {"id": str(far)},
        "associationSpec": spec,
    }


def disassociate(call: Call) -> Reply:
    """DELETE /{a}/{id}/associations/{b}/{id2}: removes every label, 204."""
    source, target = call.table(0), call.table(2)
    near, far = source.live(call.args[1]), target.live(call.args[3])
    if near is not None and far is not None:
        writer = call.writer()
        writer.part((source.kind.name, near.id), (target.kind.name, far.id))
        call.done(writer)
    return Reply(204)


def _pair(source: RecordTable, near: str, target: RecordTable, far: str) -> Pair:
    one, two = source.live(near), target.live(far)
    if one is None or two is None:
        wanted, table = (near, source) if one is None else (far, target)
        raise errors.not_found(f"No {table.kind.label} with ID {wanted} exists")
    return (source.kind.name, one.id), (target.kind.name, two.id)


def _labels_between(
    source: RecordTable, target: RecordTable, pair: Pair, types: list[AssociationType]
) -> Json:
    return {
        "fromObjectTypeId": source.kind.type_id,
        "fromObjectId": str(pair[0][1]),
        "toObjectTypeId": target.kind.type_id,
        "toObjectId": str(pair[1][1]),
        "labels": [kind.label for kind in types if kind.label],
    }


def batch_read(call: Call) -> Reply:
    """POST {inputs[{id, after?}]}: per record a to[]; 207 when a record is missing."""
    source, target, started = call.table(0), call.table(1), call.world.now_ms()
    results, failed = [], []
    for raw in call.inputs(most=1000):
        record = source.live(str(raw.get("id", "")))
        after = str(raw.get("after") or "0")
        partners = (
            _partners(call, source, record.id, target, int(after)) if record else []
        )
        if record is None or not partners:
            failed.append(_no_associations(raw))
            continue
        item: Json = {
            "from": {"id": str(record.id)},
            "to": [shown for _, shown in partners[:PER_RECORD]],
        }
        if len(partners) > PER_RECORD:
            last = str(partners[PER_RECORD - 1][0])
            item["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
        results.append(item)
    return batch_reply(call, started, results, failed, status=200)


PER_RECORD = 500


def _no_associations(raw: Json) -> Json:
    number = str(raw.get("id", ""))
    message = f"No associations found for object with ID {number}"
    error = errors.standard(404, "OBJECT_NOT_FOUND", message)
    return errors.batch_entry(error, {"fromObjectId": [number]})


def batch_create(call: Call) -> Reply:
    """POST {inputs[{from, to, types}]}: 201, or 207 when some fail.

    Replaces labels as the single call does: the guide says of neither that it adds.
    """
    source, target, started = call.table(0), call.table(1), call.world.now_ms()
    writer = call.writer()
    results, failed = [], []
    for raw in call.inputs(most=2000):
        try:
            pair = _raw_pair(source, target, raw)
            types = linking.spec_types(
                call.portal, source.kind.name, raw.get("types"), target.kind.name
            )
        except errors.ApiError as error:
            failed.append(errors.batch_entry(error, _ends(raw)))
            continue
        writer.join(*pair, types, replace=True)
        results.append(_labels_between(source, target, pair, types))
    call.done(writer)
    return batch_reply(call, started, results, failed, status=201)


def batch_default(call: Call) -> Reply:
    """POST {inputs[{from, to}]}: 200, failures inside the same answer."""
    source, target, started = call.table(0), call.table(1), call.world.now_ms()
    writer = call.writer()
    results: list[Json] = []
    failed = []
    for raw in call.inputs(most=2000):
        try:
            results += _join_default(call, writer, _raw_pair(source, target, raw))
        except errors.ApiError as error:
            failed.append(errors.batch_entry(error, _ends(raw)))
    call.done(writer)
    return batch_reply(call, started, results, failed, status=200)


def batch_archive(call: Call) -> Reply:
    """POST {inputs[{from, to[]}]}: 204."""
    source, target, writer = call.table(0), call.table(1), call.writer()
    for raw in call.inputs(most=2000):
        for other in raw.get("to") or []:
            near = source.live(_id(raw.get("from")))
            far = target.live(_id(other))
            if near is not None and far is not None:
                writer.part((source.kind.name, near.id), (target.kind.name, far.id))
    call.done(writer)
    return Reply(204)


def batch_labels_archive(call: Call) -> Reply:
    """POST {inputs[{from, to, types}]}: 204."""
    source, target, writer = call.table(0), call.table(1), call.writer()
    for raw in call.inputs(most=2000):
        pair = _raw_pair(source, target, raw)
        types = linking.spec_types(
            call.portal, source.kind.name, raw.get("types"), target.kind.name
        )
        if linking.drop_labels(call.portal, *pair, types):
            writer.tell_link(*pair, types[0], removed=True)
    call.done(writer)
    return Reply(204)


def _raw_pair(source: RecordTable, target: RecordTable, raw: Json) -> Pair:
    return _pair(source, _id(raw.get("from")), target, _id(raw.get("to")))


def _id(raw: object) -> str:
    return str(raw.get("id", "")) if isinstance(raw, dict) else ""


def _ends(raw: Json) -> Json:
    return {
        "fromObjectId": [_id(raw.get("from"))],
        "toObjectId": [_id(raw.get("to"))],
    }


_ONE = "{type}/{id}/associations/{type}"
_DEFAULT = "{type}/{id}/associations/default/{type}/{id}"
_BATCH = "{type}/{type}/batch"

pair_reads, pair_writes = of_records("read", 0, 1), of_records("write", 0, 1)
record_reads, record_writes = of_records("read", 0, 2), of_records("write", 0, 2)
ROUTES = [
    Route("objects", "GET", _ONE, read, record_reads, VERSIONS),
    Route("objects", "PUT", f"{_ONE}/{{id}}", associate, record_writes, VERSIONS),
    Route("objects", "DELETE", f"{_ONE}/{{id}}", disassociate, record_writes, VERSIONS),
    Route("objects", "PUT", _DEFAULT, associate_default, record_writes, VERSIONS),
    Route("associations", "POST", f"{_BATCH}/read", batch_read, pair_reads, VERSIONS),
    Route(
        "associations", "POST", f"{_BATCH}/create", batch_create, pair_writes, VERSIONS
    ),
    Route(
        "associations", "POST", f"{_BATCH}/associate/default", batch_default,
        pair_writes, VERSIONS,
    ),
    Route(
        "associations", "POST", f"{_BATCH}/archive", batch_archive, pair_writes,
        VERSIONS,
    ),
    Route(
        "associations", "POST", f"{_BATCH}/labels/archive", batch_labels_archive,
        pair_writes, VERSIONS,
    ),
]  # fmt: skip
