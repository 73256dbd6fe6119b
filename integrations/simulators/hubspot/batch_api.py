"""Batches of up to 100 records: create, read, update, upsert, archive.

A batch of writes is all or nothing, unless every input carries its own
objectWriteTraceId: then the good inputs are applied and the answer is a 207.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.simulators.hubspot import errors, views
from integrations.simulators.hubspot.call import Call, Route, names_in
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.scopes import of_records
from integrations.simulators.hubspot.values import iso
from integrations.simulators.hubspot.writer import Plan, Writer
from integrations.simulators.wire import Json, Reply, json_reply

MOST = 100
Planner = Callable[[Writer, RecordTable, Json], Plan]


@dataclass(slots=True)
class Outcome:
    """What became of one input: its plan and answer, or an error."""

    raw: Json
    plan: Plan | None = None
    error: errors.ApiError | None = None


def batch_create(call: Call) -> Reply:
    """POST {inputs[{properties, associations?, objectWriteTraceId?}]}: 201 or 207."""
    return _write(call, lambda w, t, raw: w.plan_create(t, raw), status=201)


def batch_update(call: Call) -> Reply:
    """POST {inputs[{id, properties, idProperty?}]}: 200 or 207."""
    _check_distinct(call)

    def plan(writer: Writer, table: RecordTable, raw: Json) -> Plan:
        record = _identified(table, raw)
        if record is None or writer.settings.hides(record.id):
            raise _missing(table, [str(raw.get("id", ""))])
        return writer.plan_update(table, record, raw)

    return _write(call, plan, status=200)


def batch_upsert(call: Call) -> Reply:
    """POST {inputs[{id, idProperty, properties}]}: results tell `new`."""
    _check_distinct(call)
    by_email = any(x.get("idProperty") == "email" for x in call.inputs(most=MOST))
    return _write(call, _plan_upsert, status=200, partial=not by_email, tell_new=True)


def _plan_upsert(writer: Writer, table: RecordTable, raw: Json) -> Plan:
    record = _identified(table, raw)
    if record is not None:
        return writer.plan_update(table, record, raw)
    name = raw.get("idProperty")
    if not name or name == "hs_object_id":
        raise _missing(table, [str(raw.get("id", ""))])
    given = raw.get("properties")
    values = given if isinstance(given, dict) else {}
    return writer.plan_create(table, {"properties": {name: str(raw["id"])} | values})


def batch_read(call: Call) -> Reply:
    """POST {properties, inputs[{id}], idProperty?}: 200, or 207 if some are missing."""
    table, started = call.table(), call.world.now_ms()
    inputs, body = call.inputs(most=MOST), call.body()
    archived = call.request.flag("archived")
    name = _id_property(table, body)
    names = views.shown_names(table, names_in(body, "properties"))
    past = names_in(body, "propertiesWithHistory")
    results, missing = [], []
    for position, raw in enumerate(inputs):
        record = table.find(str(raw.get("id", "")), name)
        spoilt = call.request.poison is not None and call.request.poison(position)
        spoilt = spoilt or (record is not None and call.hides(record))
        if record is None or bool(record.archived_at) != archived or spoilt:
            missing.append(str(raw.get("id", "")))
            continue
        shown = views.render(record, [*names, *past])
        results.append(views.with_history(shown, record, past))
    failed = [errors.batch_entry(_missing(table, missing), {})] if missing else []
    return batch_reply(
        call, started, results, failed, status=200, failures=len(missing)
    )


def batch_archive(call: Call) -> Reply:
    """POST {inputs[{id}]}: 204, also for records that are gone."""
    table, writer = call.table(), call.writer()
    for raw in call.inputs(most=MOST):
        record = table.live(str(raw.get("id", "")))
        if record is not None:
            writer.archive(table, record)
    call.done(writer)
    return Reply(204)


def batch_reply(
    call: Call,
    started: int,
    results: list[Any],
    failed: list[Json],
    *,
    status: int,
    failures: int = 0,
) -> Reply:
    """Return a batch's answer: 207 when something failed."""
    payload: Json = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(started),
        "completedAt": iso(call.world.now_ms()),
    }
    if not failed:
        return json_reply(payload, status)
    payload |= {"numErrors": failures or len(failed), "errors": failed}
    return json_reply(payload, 207)


def traced(inputs: list[Json]) -> bool:
    """Return whether every input has an objectWriteTraceId of its own."""
    traces = [raw.get("objectWriteTraceId") for raw in inputs]
    return all(traces) and len(set(traces)) == len(traces)


def _write(
    call: Call,
    planner: Planner,
    *,
    status: int,
    partial: bool = True,
    tell_new: bool = False,
) -> Reply:
    table, writer, started = call.table(), call.writer(), call.world.now_ms()
    inputs = call.inputs(most=MOST)
    outcomes = [
        outcome_of(call, writer, table, planner, at) for at in enumerate(inputs)
    ]
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed and failed[0].error and not (partial and traced(inputs)):
        raise failed[0].error
    results = [
        _applied(writer, outcome.plan, outcome.raw, tell_new=tell_new)
        for outcome in outcomes
        if outcome.plan
    ]
    call.done(writer)
    entries = [_entry(outcome) for outcome in failed]
    return batch_reply(call, started, results, entries, status=status)


def outcome_of(
    call: Call,
    writer: Writer,
    table: RecordTable,
    planner: Planner,
    item: tuple[int, Json],
) -> Outcome:
    """Plan one write of a batch. item: its place and its input."""
    position, raw = item
    if call.request.poison is not None and call.request.poison(position):
        error = errors.bad_request("There was a problem with the request.")
        return Outcome(raw, error=error)
    try:
        return Outcome(raw, plan=planner(writer, table, raw))
    except errors.ApiError as error:
        return Outcome(raw, error=error)


def _applied(writer: Writer, plan: Plan, raw: Json, *, tell_new: bool) -> Json:
    is_new = plan.record is None
    record = writer.apply(plan)
    if is_new:
        shown = views.render_whole(record)
    else:
        names = views.written_names(plan.table, raw["properties"])
        shown = views.render(record, names)
    if tell_new:
        shown["new"] = is_new
    if raw.get("objectWriteTraceId"):
        shown["objectWriteTraceId"] = raw["objectWriteTraceId"]
    return shown


def _entry(outcome: Outcome) -> Json:
    assert outcome.error is not None
    trace = outcome.raw.get("objectWriteTraceId")
    return errors.batch_entry(outcome.error, {"objectWriteTraceId": [str(trace)]})


def _identified(table: RecordTable, raw: Json) -> Record | None:
    """Return the record an input names. Ids of merged records do not count here."""
    number, name = raw.get("id"), _id_property(table, raw)
    if not isinstance(number, str):
        raise errors.bad_request("Invalid input JSON: id must be a string")
    if name:
        return table.live(number, name)
    record = table.records.get(int(number)) if number.isdigit() else None
    return record if record is not None and not record.archived_at else None


def _id_property(table: RecordTable, raw: Json) -> str:
    name = raw.get("idProperty") or ""
    if name and name not in table.id_properties():
        raise _non_unique(table)
    return str(name)


def _non_unique(table: RecordTable) -> errors.ApiError:
    number = table.kind.type_id
    message = f"Unable to perform update/upsert by non-unique {number} property"
    return errors.bad_request(message)


def _check_distinct(call: Call) -> None:
    inputs = call.inputs(most=MOST)
    updating = call.request.path.endswith("/update")
    if updating and any(raw.get("idProperty") == "email" for raw in inputs):
        # Single PATCH takes ?idProperty=email; batch update does not.
        raise _non_unique(call.table())
    ids = [str(raw.get("id", "")).lower() for raw in inputs]
    twice = sorted(number for number, times in Counter(ids).items() if times > 1)
    if twice:
        raise errors.bad_request(f"Duplicate IDs found in batch input: {twice}")


def _missing(table: RecordTable, ids: list[str]) -> errors.ApiError:
    message = (
        f"Could not get some {table.kind.label} objects, they may be deleted or not "
        "exist. Check that ids are valid."
    )
    return errors.standard(404, "OBJECT_NOT_FOUND", message, context={"ids": ids})


reads, writes = of_records("read"), of_records("write")
ROUTES = [
    Route("objects", "POST", "{type}/batch/create", batch_create, writes),
    Route("objects", "POST", "{type}/batch/read", batch_read, reads),
    Route("objects", "POST", "{type}/batch/update", batch_update, writes),
    Route("objects", "POST", "{type}/batch/upsert", batch_upsert, writes),
    Route("objects", "POST", "{type}/batch/archive", batch_archive, writes),
]
