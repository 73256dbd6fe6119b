"""Which result belongs to which write."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import errors
from integrations.connectors.salesforce import answers, soap, tables, writing
from integrations.connectors.salesforce.answers import Sent
from integrations.records import Association, Write
from integrations.tests.connectors.fuzz import junk, objects, patient

ID = "003000000000001AAA"
OTHER = "003000000000002AAA"


def sent(number: int = 1, *, target: str = "", key: str = "") -> Sent:
    write = Write(f"w{number}", "Contact", target or None, None, None, {})
    body = {"LastName": f"Doe {number}"}
    field = "Crmsync_Id__c" if key else ""
    return Sent(write, body, key_field=field, key_value=key, target=target)


def row(remote_id: str = ID, **more: Any) -> dict[str, Any]:
    return {"id": remote_id, "success": True, "errors": [], **more}


def refusal(code: str, *fields: str, message: str = "no") -> dict[str, Any]:
    error = {"statusCode": code, "message": message, "fields": list(fields)}
    return {"success": False, "errors": [error]}


def test_results_come_in_the_order_sent() -> None:
    items = [row(ID, created=True), refusal("STRING_TOO_LONG", "LastName")]

    first, second = answers.written([sent(1), sent(2)], items, updating=False)

    assert (first.ref, first.remote_id, first.created) == ("w1", ID, True)
    assert second.remote_id is None
    assert isinstance(second.error, errors.RecordRejected)
    assert (second.error.field, second.error.value) == ("LastName", "Doe 2")


@pytest.mark.parametrize(
    "items",
    [[], [row()], [row(), row(OTHER), row()]],
    ids=["none", "too few", "too many"],
)
def test_another_number_of_results_says_nothing_about_any(items: Any) -> None:
    results = answers.written([sent(1), sent(2)], items, updating=False)

    assert {type(one.error) for one in results} == {errors.OutcomeUnknown}
    assert {one.remote_id for one in results} == {None}


def test_updates_are_known_by_their_ids_where_results_are_missing() -> None:
    two = [sent(1, target=ID), sent(2, target=OTHER)]

    first, second = answers.written(two, [row(OTHER)], updating=True)

    assert isinstance(first.error, errors.OutcomeUnknown)
    assert (second.error, second.remote_id) == (None, OTHER)


def test_the_id_of_another_record_is_not_taken_for_an_update() -> None:
    (result,) = answers.written([sent(target=ID)], [row(OTHER)], updating=True)

    assert isinstance(result.error, errors.OutcomeUnknown)


@pytest.mark.parametrize("item", [None, 1, "x", {}, {"id": ID}, [], row("")])
def test_what_is_no_result_is_an_unknown_outcome(item: Any) -> None:
    (result,) = answers.written([sent()], [item], updating=False)

    assert isinstance(result.error, errors.OutcomeUnknown)


@pytest.mark.parametrize("success", [False, None, "true", 1])
def test_success_is_nothing_but_true(success: Any) -> None:
    item = row() | {"success": success}

    (result,) = answers.written([sent()], [item], updating=False)

    assert result.error is not None
    assert result.remote_id is None


@pytest.mark.parametrize(
    "item",
    [
        refusal("ENTITY_IS_DELETED"),
        refusal("INVALID_CROSS_REFERENCE_KEY"),
        refusal("MALFORMED_ID", "Id"),
        refusal("NOT_FOUND"),
    ],
)
def test_an_update_of_what_is_not_there_is_a_record_that_is_gone(item: Any) -> None:
    (result,) = answers.written([sent(target=ID)], [item], updating=True)

    assert isinstance(result.error, errors.RecordGone)


def test_a_bad_reference_in_an_update_is_the_fields_fault() -> None:
    item = refusal("INVALID_CROSS_REFERENCE_KEY", "OwnerId")

    (result,) = answers.written([sent(target=ID)], [item], updating=True)

    assert type(result.error) is errors.RecordRejected


def test_a_converted_lead_is_gone_by_a_code_one_can_tell() -> None:
    item = refusal("CANNOT_UPDATE_CONVERTED_LEAD")

    (result,) = answers.written([sent(target=ID)], [item], updating=True)

    assert isinstance(result.error, errors.RecordGone)
    assert result.error.code == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_a_converted_lead_says_what_it_is_now() -> None:
    entry = {
        "Id": "00Q000000000001AAA",
        "IsConverted": True,
        "ConvertedContactId": ID,
        "ConvertedAccountId": "001000000000001AAA",
        "ConvertedOpportunityId": None,
    }

    read = answers.record(entry, "Lead")

    assert read is not None
    assert read.became == {"Contact": ID, "Account": "001000000000001AAA"}


@given(st.lists(junk, max_size=3), st.booleans())
@patient
def test_no_shape_of_an_answer_gives_a_record_or_breaks(
    items: list[object], updating: bool
) -> None:
    batch = [sent(1, target=ID), sent(2, target=OTHER)] if updating else [sent(1)]

    results = answers.written(batch, items, updating=updating)

    assert len(results) == len(batch)
    assert all(one.error is not None for one in results)


@given(objects("Id", "SystemModstamp", "Email", "attributes", "IsConverted"))
@patient
def test_no_shape_of_a_record_breaks_the_reading(entry: dict[str, Any]) -> None:
    read = answers.record(entry, "Lead")

    assert read is None or read.remote_id


# --- what is sent ---------------------------------------------------------------------


def write(**given: Any) -> Write:
    values: dict[str, Any] = {
        "ref": "w",
        "object_type": "Task",
        "remote_id": None,
        "key_field": "Crmsync_Id__c",
        "key_value": "key-1",
        "fields": {"Subject": "Call", "Description": ""},
    }
    return Write(**(values | given))


def test_blanks_clear_on_an_upsert_and_are_left_out_of_a_create() -> None:
    upsert = writing.prepare(write())
    create = writing.prepare(write(mode="create"))

    assert upsert.body == {"Subject": "Call", "Description": None}
    assert create.body == {"Subject": "Call", "Crmsync_Id__c": "key-1"}


def test_parents_are_fields_of_the_record() -> None:
    ties = (
        Association("Contact", ID),
        Association("Opportunity", "006000000000001AAA"),
    )

    body = writing.prepare(write(associations=ties)).body

    assert (body["WhoId"], body["WhatId"]) == (ID, "006000000000001AAA")


def test_what_belongs_to_a_lead_belongs_to_nothing_else() -> None:
    ties = (
        Association("Lead", "00Q000000000001AAA"),
        Association("Account", "001000000000001AAA"),
    )

    body = writing.prepare(write(associations=ties)).body

    assert body["WhoId"] == "00Q000000000001AAA"
    assert "WhatId" not in body


@pytest.mark.parametrize(("mode", "inline"), [("create", True), ("upsert", False)])
def test_a_contact_goes_along_with_a_new_opportunity_only(
    mode: Any, inline: bool
) -> None:
    one = write(
        object_type="Opportunity", mode=mode, associations=(Association("Contact", ID),)
    )

    assert ("ContactId" in writing.prepare(one).body) is inline
    assert writing.is_inline(one, one.associations[0]) is inline


def test_a_person_not_found_by_mail_is_upserted_by_our_key() -> None:
    one = writing.prepare(
        write(
            object_type="Lead",
            key_field="Email",
            key_value="a@example.com",
            fields={"LastName": "Doe", "Crmsync_Id__c": "key-1"},
        )
    )

    made = writing.not_found(one)

    assert writing.needs_looking_up(one)
    assert (made.key_field, made.key_value) == ("Crmsync_Id__c", "key-1")
    assert made.body == {"LastName": "Doe", "Email": "a@example.com"}


def test_only_what_we_know_already_gets_past_a_duplicate_alert() -> None:
    header = "Sforce-Duplicate-Rule-Header"

    assert "allowSave=true" in writing.headers("update")[header]
    assert "allowSave=false" in writing.headers("upsert")[header]
    assert "allowSave=false" in writing.headers("create")[header]
    assert writing.headers("create")["Sforce-Auto-Assign"] == "FALSE"


# --- tables and envelopes -------------------------------------------------------------


@given(
    st.lists(
        st.dictionaries(st.sampled_from("ABC"), st.none() | st.text(), max_size=3),
        min_size=1,
        max_size=5,
    )
)
@patient
def test_rows_of_a_bulk_job_say_what_changes_what_clears_and_what_stays(
    bodies: list[dict[str, str | None]],
) -> None:
    batch = [
        Sent(write(ref=str(n)), body, key_field="Key__c", key_value=f"k{n}")
        for n, body in enumerate(bodies)
    ]

    read = list(tables.rows(tables.written(batch)))

    for number, body in enumerate(bodies):
        got = {name: text for name, text in read[number].items() if text}
        plain = {n: t.replace("\x00", "") if t else t for n, t in body.items()}
        wanted = {n: "#N/A" if t is None else t for n, t in plain.items() if t != ""}
        assert got == wanted | {"Key__c": f"k{number}"}


@given(st.lists(st.text(max_size=40), min_size=1, max_size=30), st.integers(100, 900))
@patient
def test_jobs_are_cut_so_that_each_fits(texts: list[str], room: int) -> None:
    batch = [
        Sent(write(ref=str(n)), {"A": text}, key_field="Key__c", key_value=f"k{n}")
        for n, text in enumerate(texts)
    ]

    runs = list(tables.fitting(batch, room))

    assert [one for run in runs for one in run] == batch
    for run in runs:
        rows = tables.written(run).partition(b"\n")[2]
        assert len(run) == 1 or len(rows) <= room


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a><result/></a>',
        b"<a><result>",
    ],
)
def test_an_unreadable_envelope_is_an_unknown_outcome(body: bytes) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        soap.results(body)


def test_nothing_that_is_sent_breaks_out_of_its_envelope() -> None:
    lead = [("leadId", "<x/>&"), ("opportunityName", "A & B </opportunityName>")]

    body = soap.envelope(soap.PARTNER, soap.convert_leads([lead]), "t<o>k")

    assert b"<x/>" not in body
    assert b"A &amp; B &lt;/opportunityName&gt;" in body
    assert b"t&lt;o&gt;k" in body


def test_each_row_of_a_deletion_is_judged_by_itself() -> None:
    ids = ["00QFh0000000001MAA", "00QFh0000000002MAA", "00QFh0000000003MAA"]
    refusal = {"statusCode": "DELETE_FAILED", "message": "is associated with"}
    bin_has = {"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}
    items = [
        {"id": ids[0], "success": True, "errors": []},
        {"success": False, "errors": [refusal]},
        {"success": False, "errors": [bin_has]},
    ]

    kept = answers.not_deleted(ids, items, "Lead")
    silent = answers.not_deleted(ids, items[:1], "Lead")

    assert list(kept) == [ids[1]]
    assert isinstance(kept[ids[1]], errors.RecordRejected)
    assert list(silent) == ids
