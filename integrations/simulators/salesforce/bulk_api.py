"""Bulk API 2.0: ingest and query jobs."""

import base64
from typing import Any

from integrations.simulators.salesforce import bulk_csv, bulk_jobs, errors
from integrations.simulators.salesforce.bulk_jobs import ENDED, Job, Jobs
from integrations.simulators.salesforce.call import Call, Route, call_option
from integrations.simulators.salesforce.query import Runner
from integrations.simulators.salesforce.soql_paths import flat_names, renderer
from integrations.simulators.wire import Headers, Json, Reply, json_reply

OPERATIONS = frozenset({"insert", "update", "upsert", "delete"})
DEFAULT_PAGE = 50_000


def _jobs(call: Call) -> Jobs:
    jobs = call.world.jobs
    assert isinstance(jobs, Jobs)
    return jobs


def _ingest(call: Call) -> Job:
    return _jobs(call).find(call.org, call.args[0], "ingest")


def _invalid(message: str) -> errors.ApiError:
    return errors.bad_request("INVALIDJOB", f"InvalidJob : {message}")


def _dialect(body: Json) -> Json:
    delimiter = str(body.get("columnDelimiter") or "COMMA")
    ending = str(body.get("lineEnding") or "LF")
    if delimiter not in bulk_csv.DELIMITERS or ending not in ("LF", "CRLF"):
        raise _invalid("columnDelimiter or lineEnding is not known")
    return {"columnDelimiter": delimiter, "lineEnding": ending}


def _common(call: Call, body: Json) -> Json:
    return {
        "createdById": call.grant.user,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version[1:]),
        **_dialect(body),
    }


def _create_ingest(call: Call) -> Reply:
    body = call.body()
    operation = str(body.get("operation"))
    table = call.org.table(str(body.get("object")))
    if operation not in OPERATIONS:
        raise _invalid(f"operation {operation} is not supported")
    if table is None:
        raise _invalid(f"Unable to find object: {body.get('object')}")
    if body.get("contentType", "CSV") != "CSV":
        raise _invalid("contentType must be CSV")
    shown: Json = {"operation": operation, "object": table.name, "state": "Open"}
    if operation == "upsert":
        shown["externalIdFieldName"] = _key(call, table.name, body)
    job = _jobs(call).add(call.org, shown | _common(call, body))
    job.user, job.version = call.grant.user, call.version
    client = call_option(call.request, "Sforce-Call-Options", "client")
    job.client = client or call.grant.client_id
    job.assign = bool(body.get("assignmentRuleId"))
    if job.assign:
        job.shown["assignmentRuleId"] = body["assignmentRuleId"]
    url = f"{call.base}/jobs/ingest/{job.shown['id']}/batches".lstrip("/")
    job.shown["contentUrl"] = url
    return json_reply(job.shown)


def _key(call: Call, name: str, body: Json) -> str:
    wanted = body.get("externalIdFieldName")
    if not wanted:
        raise _invalid(
            f"External ID was blank for {name}. An External ID must be specified for "
            "upsert."
        )
    table = call.org.tables[name]
    made = call.access.find(table, str(wanted))
    if made is None or not (made.looked_up or made.name == "Id"):
        raise _invalid(
            f"Field name provided, {wanted} does not match an External ID, Salesforce "
            f"Id, or indexed field for {name}"
        )
    return made.name


def _upload(call: Call) -> Reply:
    job = _ingest(call)
    if job.state != "Open" or job.header:
        raise errors.bad_request(
            "INVALIDJOBSTATE", "InvalidJobState : one upload per open job"
        )
    delimiter = job.shown["columnDelimiter"]
    job.header, job.uploaded = bulk_csv.parse(call.request.body, delimiter)
    call.request.inputs = len(job.uploaded)
    return Reply(201)


def _change_ingest(call: Call) -> Reply:
    job, wanted = _ingest(call), call.body().get("state")
    if wanted == "UploadComplete" and job.state == "Open":
        job.poison, job.poison_code = call.request.poison, call.request.poison_code
        job.note("UploadComplete", call.world.now())
        answer = json_reply(_brief(job))
        world = call.world
        _jobs(call).start(job, lambda started: bulk_jobs.ingest(world, started))
        return answer
    return _abort(call, job, wanted)


def _brief(job: Job) -> Json:
    hidden = ("contentUrl", "lineEnding", "columnDelimiter")
    return {name: value for name, value in job.shown.items() if name not in hidden}


def _abort(call: Call, job: Job, wanted: Any) -> Reply:
    if wanted != "Aborted" or job.state in ENDED:
        message = f"InvalidJobState : {job.state} cannot become {wanted}"
        raise errors.bad_request("INVALIDJOBSTATE", message)
    job.note("Aborted", call.world.now())
    return json_reply(_brief(job))


def _show_ingest(call: Call) -> Reply:
    job = _jobs(call).look(_ingest(call))
    return json_reply(_info(job, "V2Ingest"))


def _info(job: Job, kind: str) -> Json:
    counts: Json = {
        "jobType": kind,
        "numberRecordsProcessed": 0,
        "retries": 0,
        "totalProcessingTime": 0,
    }
    if kind == "V2Ingest":
        counts |= {
            "numberRecordsFailed": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }
    return counts | job.shown


def _list(call: Call, kind: str) -> Reply:
    found = [
        job.shown
        for job in _jobs(call).all.values()
        if job.org is call.org
        and (job.shown["operation"] in OPERATIONS) == (kind == "ingest")
    ]
    return json_reply({"done": True, "records": found, "nextRecordsUrl": None})


def _delete_job(call: Call) -> Reply:
    kind = "query" if "/jobs/query" in call.request.path else "ingest"
    job = _jobs(call).find(call.org, call.args[0], kind)
    if job.state not in ENDED:
        message = f"InvalidJobState : a job that is {job.state} cannot be deleted"
        raise errors.bad_request("INVALIDJOBSTATE", message)
    del _jobs(call).all[job.shown["id"]]
    return Reply(204)


def _csv(body: bytes, headers: Headers | None = None) -> Reply:
    return Reply(200, body, headers or [], content_type="text/csv")


def _successful(call: Call) -> Reply:
    job = _ingest(call)
    header = ["sf__Id", "sf__Created", *job.header]
    rows = [[row_id, created, *row] for row_id, created, row in job.done]
    return _csv(bulk_csv.write(header, rows, job.shown))


def _failed(call: Call) -> Reply:
    job = _ingest(call)
    header = ["sf__Id", "sf__Error", *job.header]
    rows = [[row_id, error, *row] for row_id, error, row in job.failed]
    return _csv(bulk_csv.write(header, rows, job.shown))


def _unprocessed(call: Call) -> Reply:
    job = _ingest(call)
    rows = job.uploaded[job.next_row :] if job.state in ENDED else []
    return _csv(bulk_csv.write(job.header, rows, job.shown))


# -- query jobs


def _create_query(call: Call) -> Reply:
    body = call.body()
    operation, text = body.get("operation"), str(body.get("query") or "")
    if operation not in ("query", "queryAll"):
        raise _invalid(f"operation {operation} is not supported")
    runner = Runner(call.world, call.org, call.access, all_rows=operation == "queryAll")
    found = runner.run(text)
    if found.count >= 0 or found.records is not None:
        message = "Aggregate Queries not supported in Bulk Query"
        raise errors.bad_request("FUNCTIONALITY_NOT_ENABLED", message)
    shown = {
        "operation": operation,
        "object": found.table.name,
        "state": "UploadComplete",
    }
    job = _jobs(call).add(call.org, shown | _common(call, body))
    world, base = call.world, f"{call.base}/sobjects"

    def work(started: Job) -> None:
        with world.lock:
            result = runner.run(text)
            render = renderer(result.table, result.columns, base)
            started.names = flat_names(result.columns)
            started.results = [render(row) for row in result.rows]
        started.shown["numberRecordsProcessed"] = len(started.results)
        started.note("JobComplete", world.now())

    answer = json_reply(job.shown)
    _jobs(call).start(job, work)
    return answer


def _query_job(call: Call) -> Job:
    return _jobs(call).find(call.org, call.args[0], "query")


def _show_query(call: Call) -> Reply:
    return json_reply(_info(_jobs(call).look(_query_job(call)), "V2Query"))


def _change_query(call: Call) -> Reply:
    return _abort(call, _query_job(call), call.body().get("state"))


def _results(call: Call) -> Reply:
    job = _query_job(call)
    if job.state != "JobComplete":
        message = f"InvalidJobState : the job is {job.state}"
        raise errors.bad_request("INVALIDJOBSTATE", message)
    most = call.request.first("maxRecords")
    page = int(most) if most.isdigit() and int(most) else DEFAULT_PAGE
    start = _offset(call.request.first("locator"))
    records = job.results[start : start + page]
    end = start + page
    more = end < len(job.results)
    rows = [[_cell(record, name) for name in job.names] for record in records]
    headers = [
        ("Sforce-Locator", _locator(end) if more else "null"),
        ("Sforce-NumberOfRecords", str(len(records))),
    ]
    return _csv(bulk_csv.write(job.names, rows, job.shown), headers)


def _locator(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).rstrip(b"=").decode()


def _offset(locator: str) -> int:
    if locator in ("", "null"):
        return 0
    try:
        padded = locator + "=" * (-len(locator) % 4)
        return int(base64.urlsafe_b64decode(padded))
    except ValueError as error:
        raise errors.bad_request("INVALID_LOCATOR", "invalid locator") from error


def _cell(record: Json, name: str) -> Any:
    found: Any = record
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


ROUTES = [
    Route("POST", "jobs/ingest", _create_ingest),
    Route("GET", "jobs/ingest", lambda call: _list(call, "ingest")),
    Route("PUT", "jobs/ingest/{id}/batches", _upload),
    Route("PATCH", "jobs/ingest/{id}", _change_ingest),
    Route("GET", "jobs/ingest/{id}", _show_ingest),
    Route("DELETE", "jobs/ingest/{id}", _delete_job),
    Route("GET", "jobs/ingest/{id}/successfulResults", _successful),
    Route("GET", "jobs/ingest/{id}/failedResults", _failed),
    Route("GET", "jobs/ingest/{id}/unprocessedrecords", _unprocessed),
    Route("POST", "jobs/query", _create_query),
    Route("GET", "jobs/query", lambda call: _list(call, "query")),
    Route("GET", "jobs/query/{id}", _show_query),
    Route("PATCH", "jobs/query/{id}", _change_query),
    Route("DELETE", "jobs/query/{id}", _delete_job),
    Route("GET", "jobs/query/{id}/results", _results),
]
