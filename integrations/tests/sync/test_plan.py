"""What becomes of each claimed row: one decision per state of affairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from integrations.errors import RecordRejected
from integrations.mapping.engine import Compiled, Row
from integrations.records import Association
from integrations.sync.plan import (
    Hold,
    Leave,
    Send,
    Wait,
    decide,
)
from integrations.sync.subjects import Parent, Rules, Subject
from leads.snapshots import Snapshot

LEAD = Parent("2:7", "lead 7", "contacts", "501", "linked")


def compiled(*rows: Row) -> Compiled:
    return Compiled(rows, {row.destination: lambda value: str(value) for row in rows})


CONTACTS = Rules(
    "contacts",
    compiled(Row("email", "email"), Row("city", "city", clear_blanks=True)),
    match_field="email",
    key_field="hub_id",
)
NOTES = Rules("notes", compiled(Row("body", "text")), key_field="hub_id", ties=True)


def snapshot(values: Mapping[str, object], **given: Any) -> Snapshot:
    return Snapshot("lead", 7, "Ada", values, {}, **given)


def subject(values: Mapping[str, object] | None = None, **given: Any) -> Subject:
    record = snapshot({"email": "ada@example.com"} if values is None else values)
    return Subject(ref="1", record=record, key="k7", **given)


# --- what forbids sending -------------------------------------------------------------


def test_record_that_is_gone_here_is_left() -> None:
    decision = decide(subject()._replace(record=None), CONTACTS)

    assert isinstance(decision, Leave)
    assert decision.outcome == "excluded"


def test_record_deleted_there_is_not_made_again() -> None:
    decision = decide(subject(remote_id="501", gone=True), CONTACTS)

    assert isinstance(decision, Hold)
    assert decision.error_class == "gone"
    assert "deleted" in decision.message


@pytest.mark.parametrize("record", ["there", "deleted here"])
def test_what_the_crm_does_not_show_us_is_held(record: str) -> None:
    hidden = subject({"city": ""}, remote_id="501", hidden=True)
    if record == "deleted here":
        hidden = hidden._replace(record=None)

    decision = decide(hidden, replace(CONTACTS, deletes=True))

    assert isinstance(decision, Hold)
    assert decision.error_class == "hidden"


def test_what_belongs_to_a_hidden_record_waits_for_it_and_is_not_called_deleted() -> (
    None
):
    parents = (replace(LEAD, remote_id=None, fate="hidden"),)
    new, there = subject(parents=parents), subject(parents=parents, remote_id="601")

    decision = decide(new, NOTES)

    assert isinstance(decision, Hold)
    assert decision.error_class == "hidden"
    assert "lead 7" in decision.message
    assert not isinstance(decide(there, NOTES), Hold)


def test_activity_of_another_kind_is_left_without_a_word() -> None:
    rules = replace(NOTES, only_kinds=frozenset({"note"}))
    task = Subject("1", snapshot({"body": "x"}, kind="task"), "k7")

    assert decide(task, rules) == Leave(
        "unchanged", "Another object takes activities of this kind."
    )


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        ({"source": "lgm", "status": "new"}, False),
        ({"source": "lgm", "status": "contacted"}, False),
        ({"source": "lgm", "status": "replied"}, True),
        ({"source": "lgm", "status": "new", "last_reply_at": "yesterday"}, True),
        ({"source": "import", "status": "new"}, True),
    ],
)
def test_people_nobody_has_spoken_with_stay_here(
    values: dict[str, object], sent: bool
) -> None:
    rules = replace(CONTACTS, cold_sources=frozenset({"lgm"}))

    decision = decide(subject({"email": "ada@example.com", **values}), rules)

    assert isinstance(decision, Send if sent else Leave)


def test_person_who_is_there_already_goes_on_whatever_their_source() -> None:
    rules = replace(CONTACTS, cold_sources=frozenset({"lgm"}))
    values = {"email": "ada@example.com", "source": "lgm", "status": "new"}

    assert isinstance(decide(subject(values, remote_id="501"), rules), Send)


# --- parents --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "told"),
    [("coming", "to be sent first"), ("failed", "could not be sent")],
)
def test_child_waits_for_its_parent_and_says_why(fate: Any, told: str) -> None:
    parent = replace(LEAD, remote_id=None, fate=fate)

    decision = decide(subject({"body": "x"}, parents=(parent,)), NOTES)

    assert isinstance(decision, Wait)
    assert decision.key == "2:7"
    assert told in decision.reason


def test_child_of_what_is_never_sent_is_left() -> None:
    parent = replace(LEAD, remote_id=None, fate="never")

    decision = decide(subject({"body": "x"}, parents=(parent,)), NOTES)

    assert decision == Leave(
        "excluded", "lead 7, which it belongs to, is left out by its own mapping."
    )


def test_child_of_what_was_deleted_there_is_held() -> None:
    decision = decide(
        subject({"body": "x"}, parents=(replace(LEAD, fate="gone"),)), NOTES
    )

    assert isinstance(decision, Hold)
    assert "lead 7" in decision.message


# --- what is sent ---------------------------------------------------------------------


def test_new_record_with_a_match_is_upserted_by_it_and_takes_our_key_along() -> None:
    decision = decide(subject(), CONTACTS)

    assert isinstance(decision, Send)
    write = decision.write
    assert (write.mode, write.key_field, write.key_value) == (
        "upsert",
        "email",
        "ada@example.com",
    )
    assert write.fields == {"hub_id": "k7", "email": "ada@example.com"}
    assert not decision.look_first


def test_new_record_without_a_match_is_upserted_by_our_key() -> None:
    decision = decide(subject({"city": "Kiel"}), CONTACTS)

    assert isinstance(decision, Send)
    assert (decision.write.mode, decision.write.key_field) == ("upsert", "hub_id")
    assert decision.write.key_value == "k7"


def test_new_child_is_created_together_with_its_ties() -> None:
    decision = decide(subject({"body": "x"}, parents=(LEAD,)), NOTES)

    assert isinstance(decision, Send)
    assert decision.write.mode == "create"
    tie = Association("contacts", "501", yields=True)
    assert decision.write.associations == (tie,)
    assert not decision.look_first


def test_child_that_may_be_there_is_looked_for_first() -> None:
    decision = decide(subject({"body": "x"}, parents=(LEAD,), tried=True), NOTES)

    assert isinstance(decision, Send)
    assert decision.look_first


def test_child_that_may_be_there_and_cannot_be_looked_for_is_held() -> None:
    rules = replace(NOTES, key_field="")

    decision = decide(subject({"body": "x"}, tried=True), rules)

    assert isinstance(decision, Hold)
    assert decision.error_class == "ambiguous"


def test_first_try_without_any_key_is_a_plain_create() -> None:
    rules = replace(NOTES, key_field="")

    decision = decide(subject({"body": "x"}), rules)

    assert isinstance(decision, Send)
    assert (decision.write.mode, decision.write.key_field) == ("create", None)


def test_linked_record_sends_only_what_differs_from_what_was_agreed() -> None:
    values = {"email": "ada@example.com", "city": "Kiel"}
    base = {"email": "ada@example.com", "city": "Bonn"}

    decision = decide(subject(values, remote_id="501", base=base), CONTACTS)

    assert isinstance(decision, Send)
    assert decision.write.fields == {"city": "Kiel"}
    assert decision.write.effective_mode == "update"


def test_linked_record_that_is_in_step_is_left() -> None:
    base = {"email": "ada@example.com"}

    decision = decide(subject(remote_id="501", base=base), CONTACTS)

    assert decision == Leave("unchanged")


def test_blank_clears_what_was_agreed_where_the_mapping_says_so() -> None:
    base = {"email": "ada@example.com", "city": "Bonn"}

    decision = decide(subject({}, remote_id="501", base=base), CONTACTS)

    assert isinstance(decision, Send)
    assert decision.write.fields == {"city": ""}


def test_value_the_mapping_cannot_give_holds_the_record() -> None:
    rules = Rules("deals", compiled(Row("stage_id", "stage", values={"1": "a"})))

    decision = decide(subject({"stage_id": 2}), rules)

    assert isinstance(decision, Hold)
    assert decision.field == "stage_id"


def test_a_value_without_a_match_is_no_refusal_of_the_crm() -> None:
    rules = Rules("contacts", compiled(Row("status", "stage", values={"new": "OPEN"})))

    decision = decide(subject({"status": "lost"}), rules)

    assert isinstance(decision, Hold)
    assert (decision.error_class, decision.field) == ("held", "status")


def test_a_value_that_cannot_be_sent_is_told_as_invalid() -> None:
    def refuse(value: object | None) -> str:
        raise RecordRejected("longer than 10 characters")

    rules = Rules("contacts", Compiled([Row("city", "city")], {"city": refuse}))

    decision = decide(subject({"city": "Rome"}), rules)

    assert isinstance(decision, Hold)
    assert decision.error_class == "rejected"
