"""Batches of up to 50 campaigns: create, read, update, archive.

What is good in a batch is done, what is not is told in a 207. The pages promise no
order of the results, so here none is at its input's place.
"""

from collections.abc import Callable
from typing import Any

from integrations.simulators.hubspot import campaigns, errors
from integrations.simulators.hubspot.batch_api import (
    Outcome,
    Planner,
    batch_reply,
    outcome_of,
)
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.campaigns_api import (
    found,
    reads,
    table_of,
    writes,
)
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.writer import Plan, Writer
from integrations.simulators.wire import Json, Reply

MOST = 50


def batch_create(call: Call) -> Reply:
    """POST {inputs[{properties}]}: 201 or 207."""
    # Nothing in an error says which input it was about: an input has no id.
    return _write(call, campaigns.planned_create, lambda raw: {}, status=201)


def batch_update(call: Call) -> Reply:
    """POST {inputs[{id, properties}]}: 200 or 207.

    UNCONFIRMED: that an id may not come twice, and that an error tells its id.
    """
    ids = [campaigns.guid_of(raw.get("id")).lower() for raw in call.inputs(most=MOST)]
    if len(set(ids)) < len(ids):
        raise errors.bad_request("Duplicate IDs found in batch input")

    def plan(writer: Writer, table: RecordTable, raw: Json) -> Plan:
        record = found(call, raw["id"])
        if record is None:
            raise errors.not_found(f"Campaign {raw['id']} was not found")
        return campaigns.planned_update(writer, table, record, raw)

    return _write(call, plan, lambda raw: {"ids": [raw["id"]]}, status=200)


def batch_read(call: Call) -> Reply:
    """POST ?properties= {inputs[{id}]}: with assets, each campaign once.

    The properties are named in the query. UNCONFIRMED: that campaigns which are not
    there make it a 207 that tells their ids.
    """
    table, started = table_of(call), call.world.now_ms()
    inputs = call.inputs(most=MOST)
    ids = dict.fromkeys(campaigns.guid_of(raw.get("id")).lower() for raw in inputs)
    names = campaigns.readable_names(table, call.request.names("properties"))
    poison = call.request.poison
    results, missing = [], []
    for place, guid in enumerate(ids):
        record = None if poison and poison(place) else found(call, guid)
        if record is None:
            missing.append(guid)
        else:
            results.append(campaigns.shown_with_assets(table, record, names))
    problem = errors.not_found("Could not get some campaigns")
    failed = [errors.batch_entry(problem, {"ids": missing})] if missing else []
    return batch_reply(
        call, started, _moved(results), failed, status=200, failures=len(missing)
    )


def batch_archive(call: Call) -> Reply:
    """POST {inputs[{id}]}: always 204."""
    writer = call.writer()
    for raw in call.inputs(most=MOST):
        record = found(call, str(raw.get("id", "")))
        if record is not None:
            writer.archive(table_of(call), record)
    return Reply(204)


def _write(
    call: Call, planner: Planner, about: Callable[[Json], Json], *, status: int
) -> Reply:
    table, writer, started = table_of(call), call.writer(), call.world.now_ms()
    inputs = call.inputs(most=MOST)
    for raw in inputs:
        campaigns.check_shape(raw)
    outcomes = [
        outcome_of(call, writer, table, planner, at) for at in enumerate(inputs)
    ]
    results = [_applied(writer, outcome) for outcome in outcomes if outcome.plan]
    failed = [
        errors.batch_entry(outcome.error, about(outcome.raw))
        for outcome in outcomes
        if outcome.error
    ]
    return batch_reply(call, started, _moved(results), failed, status=status)


def _applied(writer: Writer, outcome: Outcome) -> Json:
    assert outcome.plan is not None
    record = writer.apply(outcome.plan)
    names = list(outcome.raw["properties"])
    return campaigns.shown(outcome.plan.table, record, names)


def _moved(results: list[Any]) -> list[Any]:
    """Return the results in another order, the same every time."""
    return results[1:] + results[:1]


ROUTES = [
    Route("campaigns", "POST", "batch/create", batch_create, writes),
    Route("campaigns", "POST", "batch/read", batch_read, reads),
    Route("campaigns", "POST", "batch/update", batch_update, writes),
    Route("campaigns", "POST", "batch/archive", batch_archive, writes),
]
