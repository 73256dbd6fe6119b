"""Which result belongs to which write, whatever the answer looks like."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import errors
from integrations.connectors.hubspot import answers, writing
from integrations.records import RemoteStage, Write
from integrations.tests.connectors.fuzz import junk, objects, patient


def create(ref: str, **fields: Any) -> Any:
    return Write(ref, "deals", None, None, None, fields, mode="create")


def upsert(ref: str, email: str, **fields: Any) -> Any:
    return Write(ref, "contacts", None, "email", email, fields)


def update(ref: str, remote_id: str) -> Any:
    return Write(ref, "contacts", remote_id, None, None, {"firstname": "A"})


def written(writes: Any, results: Any, found_errors: Any = ()) -> Any:
    sent = [writing.prepare(write, f"w{n}") for n, write in enumerate(writes)]
    body = {"status": "COMPLETE", "results": results, "errors": list(found_errors)}
    return answers.written(sent, body, "contacts")


def result(remote_id: str, **properties: Any) -> Any:
    return {"id": remote_id, "properties": properties}


def ids(outcome: Any) -> Any:
    return [one.remote_id for one in outcome]


def test_results_in_any_order_find_their_writes_by_key() -> None:
    writes = [upsert(f"r{n}", f"{name}@Example.com") for n, name in enumerate("abc")]
    results = [result(name, email=f"{name}@example.com") for name in "abc"]

    for order in itertools.permutations(results):
        assert ids(written(writes, list(order))) == ["a", "b", "c"]


def test_results_of_creates_are_found_by_what_was_sent() -> None:
    writes = [create("r0", dealname="One"), create("r1", dealname="Two")]

    outcome = written(
        writes, [result("2", dealname="Two"), result("1", dealname="One")]
    )

    assert ids(outcome) == ["1", "2"]
    assert [one.created for one in outcome] == [True, True]


def test_a_trace_id_in_the_answer_decides() -> None:
    writes = [create("r0", dealname="Same"), create("r1", dealname="Same")]
    results = [
        result("2", dealname="Same") | {"objectWriteTraceId": "w1"},
        result("1", dealname="Same") | {"objectWriteTraceId": "w0"},
    ]

    assert ids(written(writes, results)) == ["1", "2"]


def test_creates_that_cannot_be_told_apart_are_unknown_not_guessed() -> None:
    writes = [create("r0", dealname="Same"), create("r1", dealname="Same")]

    outcome = written(
        writes, [result("1", dealname="Same"), result("2", dealname="Same")]
    )

    assert ids(outcome) == [None, None]
    assert all(isinstance(one.error, errors.OutcomeUnknown) for one in outcome)


def test_the_one_result_of_the_one_write_is_its_own_under_another_address() -> None:
    outcome = written(
        [upsert("r0", "second@example.com")], [result("7", email="first")]
    )

    assert ids(outcome) == ["7"]


def test_too_few_results_leave_the_missing_unknown() -> None:
    writes = [upsert("r0", "a@example.com"), upsert("r1", "b@example.com")]

    outcome = written(writes, [result("2", email="b@example.com")])

    assert ids(outcome) == [None, "2"]
    assert isinstance(outcome[0].error, errors.OutcomeUnknown)


def test_two_results_that_claim_one_write_are_nobodys() -> None:
    writes = [upsert("r0", "a@example.com"), upsert("r1", "b@example.com")]
    claims = [result(number, email="a@example.com") for number in ("1", "2")]

    assert ids(written(writes, claims)) == [None, None]


def test_a_result_without_an_id_is_no_result() -> None:
    outcome = written([upsert("r0", "a@example.com")], [{"properties": {"email": "a"}}])

    assert isinstance(outcome[0].error, errors.OutcomeUnknown)


def test_an_update_is_never_credited_with_another_id() -> None:
    outcome = written([update("r0", "5")], [result("6", firstname="A")])

    assert isinstance(outcome[0].error, errors.OutcomeUnknown)


def test_an_upsert_tells_whether_it_created() -> None:
    writes = [upsert("r0", "a@example.com"), upsert("r1", "b@example.com")]
    results = [
        result("1", email="a@example.com") | {"new": True},
        result("2", email="b@example.com") | {"new": False},
    ]

    assert [one.created for one in written(writes, results)] == [True, False]


def error(
    category: str = "VALIDATION_ERROR", message: str = "bad", **context: Any
) -> Any:
    return {"category": category, "message": message, "context": context}


def test_errors_of_a_half_failed_batch_find_their_writes_by_trace() -> None:
    writes = [create("r0", dealname="One"), create("r1", dealname="Two")]

    outcome = written(
        writes, [result("1", dealname="One")], [error(objectWriteTraceId=["w1"])]
    )

    assert outcome[0].remote_id == "1"
    assert isinstance(outcome[1].error, errors.RecordRejected)
    assert outcome[1].error.detail == "bad"


@pytest.mark.parametrize(
    ("category", "message", "kind"),
    [
        ("CONFLICT", "Contact already exists. Existing ID: 9", errors.DuplicateFound),
        ("OBJECT_NOT_FOUND", "gone", errors.RecordGone),
        ("RATE_LIMITS", "slow", errors.RateLimited),
        ("RATE_LIMIT", "slow", errors.RateLimited),
        ("INTERNAL_ERROR", "internal", errors.Retryable),
        ("NEW_CATEGORY", "?", errors.Retryable),
        ("INVALID_OPTION", "no such option", errors.RecordRejected),
    ],
)
def test_an_error_of_one_record_is_named_like_one_of_a_call(
    category: str, message: str, kind: Any
) -> None:
    found = error(category, message, objectWriteTraceId=["w0"])

    outcome = written([create("r0", dealname="One")], [], [found])

    assert type(outcome[0].error) is kind


def test_errors_of_updates_find_their_writes_by_id() -> None:
    writes = [update("r0", "5"), update("r1", "6")]

    outcome = written(writes, [result("6")], [error("OBJECT_NOT_FOUND", ids=["5"])])

    assert isinstance(outcome[0].error, errors.RecordGone)
    assert outcome[1].error is None


def test_a_context_that_names_one_write_without_a_list_is_understood() -> None:
    writes = [create(f"r{n}", dealname=str(n)) for n in range(2)]
    updates = [update("r0", "5"), update("r1", "6")]
    found = [error(objectWriteTraceId="w0"), error(objectWriteTraceId="w1")]

    made = written(writes, [], found)
    changed = written(updates, [result("6")], [error(id="5"), error(id="9")])

    assert [type(one.error) for one in made] == [errors.RecordRejected] * 2
    assert isinstance(changed[0].error, errors.RecordRejected)


def test_one_nameless_error_explains_what_is_missing() -> None:
    writes = [create("r0", dealname="One"), create("r1", dealname="Two")]

    outcome = written(writes, [result("1", dealname="One")], [error()])

    assert isinstance(outcome[1].error, errors.RecordRejected)


def test_several_nameless_errors_explain_nothing() -> None:
    writes = [create("r0", dealname="One"), create("r1", dealname="Two")]

    outcome = written(writes, [], [error(message="x"), error(message="y")])

    assert all(isinstance(one.error, errors.OutcomeUnknown) for one in outcome)


@patient
@given(
    st.lists(objects("id", "properties", "objectWriteTraceId", "new", "updatedAt")),
    st.lists(objects("category", "message", "context", "errors")),
)
def test_every_write_gets_exactly_one_result_whatever_comes_back(
    results: Any, found: Any
) -> None:
    writes = [
        upsert("r0", "a@example.com"),
        upsert("r1", "b@example.com"),
        upsert("r2", "c@example.com"),
    ]

    outcome = written(writes, results, found)

    assert [one.ref for one in outcome] == ["r0", "r1", "r2"]
    assert all((one.remote_id is None) != (one.error is None) for one in outcome)
    taken = [one.remote_id for one in outcome if one.remote_id]
    assert len(taken) <= len(results)


@patient
@given(junk)
def test_a_body_without_results_leaves_all_unknown(rubbish: Any) -> None:
    sent = [writing.prepare(upsert("r0", "a@example.com"), "w0")]
    body = {"results": rubbish if not isinstance(rubbish, list) else "x"}

    outcome = answers.written(sent, body, "contacts")

    assert isinstance(outcome[0].error, errors.OutcomeUnknown)


def test_stages_are_read_in_order_with_what_they_mean() -> None:
    entry = {
        "id": "default",
        "label": "Sales",
        "stages": [
            {
                "id": "b",
                "label": "Won",
                "displayOrder": 2,
                "metadata": {"isClosed": "true", "probability": "1.0"},
            },
            {"id": "a", "label": "New", "displayOrder": 1, "metadata": None},
            {"id": "z", "label": "Old", "displayOrder": 0, "archived": True},
        ],
    }

    assert answers.pipeline(entry).stages == (
        RemoteStage("a", "New", closed=False),
        RemoteStage("b", "Won", closed=True, probability=1.0),
    )


@patient
@given(objects("id", "label", "stages", "email", "firstName", "archived", "paging"))
def test_no_shape_of_a_pipeline_owner_or_page_is_believed(entry: Any) -> None:
    assert all(isinstance(one.id, str) for one in answers.pipeline(entry).stages)
    assert isinstance(answers.owner(entry).email, str)
    assert isinstance(answers.next_after(entry), str | None)
