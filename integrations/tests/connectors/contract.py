"""The contract every connector keeps, whatever its vendor.

A `Bench` says in the vendor's words what the suite needs; the vendor is a simulator
in a process of its own, which shares nothing with the connector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.connectors.http import CallRecord, HttpClient
from integrations.records import Association, Filter, RemoteField, Write, WriteResult
from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator

SILENT = ("empty_2xx", "blank_2xx", "html_2xx", "truncated_json", "missing_results")


@dataclass(frozen=True)
class Bench:
    """What one vendor calls the things the suite speaks of.

    `key`: a natural unique field of people; `text`: any writable text field;
    `bad_key`: a value of `key` that the vendor refuses.
    """

    vendor: str
    account_id: str
    people: str
    key: str
    text: str
    bad_key: str
    activity: str
    activity_fields: Mapping[str, object]
    activity_text: str
    deals: str


BENCHES = {
    "hubspot": Bench(
        vendor="hubspot",
        account_id="4100001",
        people="contacts",
        key="email",
        text="firstname",
        bad_key="not an address",
        activity="notes",
        activity_fields={"hs_timestamp": datetime(2026, 1, 2, tzinfo=UTC)},
        activity_text="hs_note_body",
        deals="deals",
    )
}


@dataclass
class Rig:
    """A connector, the simulator it speaks to and what was observed."""

    bench: Bench
    simulator: RunningSimulator
    calls: list[CallRecord] = field(default_factory=list)

    def connector(self, token: str = PRIVATE_TOKEN, **options: Any) -> Connector:
        entry = CONNECTORS[self.bench.vendor]
        client = HttpClient(
            self.simulator.base_url,
            lambda refused=None: token,
            vendor=self.bench.vendor,
            parse_error=entry.parse_error,
            request_id_headers=entry.request_id_headers,
            **({"on_call": self.calls.append} | options),
        )
        return entry.make(client)

    def own_key(self) -> str:
        return CONNECTORS[self.bench.vendor].spec.own_key.name

    def add_own_key(self, object_type: str) -> None:
        self.connector().ensure_fields(object_type, [self.own_field()])
        self.calls.clear()

    def own_field(self) -> RemoteField:
        own = CONNECTORS[self.bench.vendor].spec.own_key
        return RemoteField(own.name, own.label, "text", unique=True, group=own.group)

    def person(self, number: int, **more: object) -> Write:
        bench = self.bench
        return Write(
            f"person-{number}",
            bench.people,
            None,
            bench.key,
            f"person{number}@example.com",
            {bench.text: f"Person {number}"} | more,
        )

    def note(self, number: int, *ties: Association) -> Write:
        """A create, which no vendor lets us repeat."""
        bench = self.bench
        return Write(
            f"note-{number}",
            bench.activity,
            None,
            self.own_key(),
            f"note-key-{number}",
            {**bench.activity_fields, bench.activity_text: f"Text {number}"},
            ties,
            mode="create",
        )

    def held(self, object_type: str) -> list[Any]:
        found: list[Any] = self.simulator.dump(object_type)
        return [one for one in found if not one.get("archived")]


def kinds(results: list[WriteResult]) -> set[type]:
    return {type(result.error) for result in results}


class ConnectorContract:
    """Mixed into one test class, which is run for every line of CONNECTORS."""

    # Who are we

    def test_the_account_of_the_token_is_named(self, rig: Rig) -> None:
        account = rig.connector().check()

        assert account.id in (rig.bench.account_id, "")

    @pytest.mark.parametrize("word", ["wrong", "", "pat-wrong", "schlüssel"])
    def test_a_wrong_token_asks_for_a_new_connection(self, rig: Rig, word: str) -> None:
        connector = rig.connector(word)

        with pytest.raises(errors.ReauthRequired):
            connector.check()
        with pytest.raises(errors.ReauthRequired):
            connector.write(rig.bench.people, [rig.person(1)])

    # Writing

    def test_people_are_written_in_one_call_and_in_order(self, rig: Rig) -> None:
        writes = [rig.person(number) for number in range(20)]

        results = rig.connector().write(rig.bench.people, writes)

        assert [result.ref for result in results] == [write.ref for write in writes]
        assert kinds(results) == {type(None)}
        assert len({result.remote_id for result in results}) == 20
        assert [call.inputs for call in rig.calls] == [20]

    def test_writing_again_changes_nothing_and_finds_the_same_records(
        self, rig: Rig
    ) -> None:
        writes = [rig.person(number) for number in range(3)]
        connector = rig.connector()

        first = connector.write(rig.bench.people, writes)
        again = connector.write(rig.bench.people, writes)

        assert [one.remote_id for one in again] == [one.remote_id for one in first]
        assert [one.created for one in first + again] == [True] * 3 + [False] * 3
        assert len(rig.held(rig.bench.people)) == 3

    def test_more_than_a_batch_is_cut_into_as_few_calls_as_can_be(
        self, rig: Rig
    ) -> None:
        size = CONNECTORS[rig.bench.vendor].spec.batch.write
        writes = [rig.person(number) for number in range(2 * size + 1)]

        results = rig.connector().write(rig.bench.people, writes)

        assert kinds(results) == {type(None)}
        assert [call.inputs for call in rig.calls] == [size, size, 1]

    def test_a_record_named_twice_is_written_twice_in_order(self, rig: Rig) -> None:
        text = rig.bench.text
        one, other = rig.person(1, **{text: "Old"}), rig.person(1, **{text: "New"})
        writes = [one, replace(other, ref="again")]

        results = rig.connector().write(rig.bench.people, writes)

        assert results[0].remote_id == results[1].remote_id
        assert rig.held(rig.bench.people)[0]["properties"][text] == "New"

    def test_nothing_to_write_is_no_call(self, rig: Rig) -> None:
        assert rig.connector().write(rig.bench.people, []) == []
        assert rig.calls == []

    def test_updates_by_id_and_creates_go_side_by_side(self, rig: Rig) -> None:
        connector = rig.connector()
        known = connector.write(rig.bench.people, [rig.person(1)])[0]
        rig.calls.clear()
        update = replace(
            rig.person(1, **{rig.bench.text: "Renamed"}), remote_id=known.remote_id
        )

        results = connector.write(rig.bench.people, [rig.person(2), update])

        assert results[1].remote_id == known.remote_id
        assert results[0].remote_id != known.remote_id
        assert len(rig.calls) == 2

    def test_none_clears_a_field_and_an_absent_one_stays(self, rig: Rig) -> None:
        connector = rig.connector()
        connector.write(rig.bench.people, [rig.person(1, lastname="Stays")])

        connector.write(rig.bench.people, [rig.person(1, **{rig.bench.text: None})])

        left = rig.held(rig.bench.people)[0]["properties"]
        assert left.get(rig.bench.text) in (None, "")
        assert left["lastname"] == "Stays"

    # What is wrong with one record

    def test_a_bad_record_is_found_and_the_others_are_written_once(
        self, rig: Rig
    ) -> None:
        writes = [rig.person(number) for number in range(40)]
        writes[17] = replace(writes[17], key_value=rig.bench.bad_key)

        results = rig.connector().write(rig.bench.people, writes)

        bad = results.pop(17)
        assert isinstance(bad.error, errors.RecordRejected)
        assert bad.remote_id is None
        assert kinds(results) == {type(None)}
        held = rig.held(rig.bench.people)
        assert len(held) == 39

    def test_an_unknown_field_is_blamed_on_the_mapping_of_it(self, rig: Rig) -> None:
        writes = [rig.person(1), rig.person(2, no_such_field="x"), rig.person(3)]

        results = rig.connector().write(rig.bench.people, writes)

        assert isinstance(results[1].error, errors.Misconfigured)
        assert results[1].error.field == "no_such_field"
        assert [one.error for one in (results[0], results[2])] == [None, None]

    def test_half_a_batch_tells_which_half(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        rig.simulator.set_fault("partial_batch", positions=[1, 3], count=1)

        results = rig.connector().write(
            rig.bench.activity, [rig.note(number) for number in range(5)]
        )

        failed = [number for number in range(5) if results[number].error]
        assert failed == [1, 3]
        assert len(rig.held(rig.bench.activity)) == 3

    def test_a_key_that_is_taken_leads_to_the_record_that_has_it(
        self, rig: Rig
    ) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        first = connector.write(rig.bench.activity, [rig.note(1)])[0]

        again = connector.write(rig.bench.activity, [rig.note(1), rig.note(2)])

        assert isinstance(again[0].error, errors.DuplicateFound)
        assert again[0].error.existing_id in (None, first.remote_id)
        assert again[1].error is None
        adopted = connector.fetch(
            rig.bench.activity, ["note-key-1"], fields=[], key_field=rig.own_key()
        )
        assert [one.remote_id for one in adopted] == [first.remote_id]
        assert len(rig.held(rig.bench.activity)) == 2

    def test_an_update_of_a_record_that_is_gone_creates_nothing(self, rig: Rig) -> None:
        connector = rig.connector()
        known = connector.write(rig.bench.people, [rig.person(1), rig.person(2)])
        connector.delete(rig.bench.people, [str(known[0].remote_id)])
        connector.delete(rig.bench.people, [str(known[0].remote_id)])

        results = connector.write(
            rig.bench.people,
            [replace(rig.person(n), remote_id=known[n - 1].remote_id) for n in (1, 2)],
        )

        assert isinstance(results[0].error, errors.RecordGone)
        assert results[1].error is None
        assert len(rig.held(rig.bench.people)) == 1

    # What is wrong with the call

    def test_throttling_is_raised_with_the_time_to_wait(self, rig: Rig) -> None:
        rig.simulator.set_fault("429", count=1, retry_after="20")

        with pytest.raises(errors.RateLimited) as caught:
            rig.connector().write(rig.bench.people, [rig.person(1)])

        assert caught.value.retry_after_s == 20
        assert rig.held(rig.bench.people) == []
        assert len(rig.calls) == 1

    def test_throttling_in_the_middle_keeps_what_was_written(self, rig: Rig) -> None:
        size = CONNECTORS[rig.bench.vendor].spec.batch.write
        writes = [rig.person(number) for number in range(size + 5)]

        def throttle_what_follows(record: CallRecord) -> None:
            rig.simulator.set_fault("429", retry_after="20")

        connector = rig.connector(on_call=throttle_what_follows)

        results = connector.write(rig.bench.people, writes)

        assert kinds(results[:size]) == {type(None)}
        assert kinds(results[size:]) == {errors.RateLimited}

    @pytest.mark.parametrize("kind", ["500", "502", "503", "504", "drop"])
    def test_trouble_there_is_retryable_for_what_can_be_repeated(
        self, rig: Rig, kind: str
    ) -> None:
        rig.simulator.set_fault(kind, count=1)

        with pytest.raises(errors.Retryable):
            rig.connector().write(rig.bench.people, [rig.person(1)])

    @pytest.mark.parametrize("kind", ["500", "504", "drop_after_apply"])
    def test_trouble_after_a_create_is_unknown_and_the_key_tells(
        self, rig: Rig, kind: str
    ) -> None:
        rig.add_own_key(rig.bench.activity)
        rig.simulator.set_fault(kind, count=1)
        connector = rig.connector()

        results = connector.write(rig.bench.activity, [rig.note(1), rig.note(2)])

        assert kinds(results) == {errors.OutcomeUnknown}
        keys = ["note-key-1", "note-key-2"]
        found = connector.fetch(
            rig.bench.activity, keys, fields=[], key_field=rig.own_key()
        )
        assert len(found) == len(rig.held(rig.bench.activity))

    def test_an_answer_that_never_comes_is_unknown(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        rig.simulator.set_fault("hang_after_apply", count=1, seconds=2)

        results = rig.connector(timeout_s=(1, 0.3)).write(
            rig.bench.activity, [rig.note(1)]
        )

        assert kinds(results) == {errors.OutcomeUnknown}
        assert len(rig.held(rig.bench.activity)) == 1

    @pytest.mark.parametrize("kind", SILENT)
    def test_a_success_that_says_nothing_is_no_success(
        self, rig: Rig, kind: str
    ) -> None:
        rig.add_own_key(rig.bench.activity)
        rig.simulator.set_fault(kind, count=1)

        results = rig.connector().write(
            rig.bench.activity, [rig.note(number) for number in range(4)]
        )

        assert errors.OutcomeUnknown in kinds(results)
        assert kinds(results) <= {errors.OutcomeUnknown, type(None)}
        assert all((one.remote_id is None) == bool(one.error) for one in results)

    @pytest.mark.parametrize("kind", [*SILENT, "drop_after_apply"])
    def test_an_upsert_without_an_answer_is_repeated_without_harm(
        self, rig: Rig, kind: str
    ) -> None:
        rig.simulator.set_fault(kind, count=1)
        connector = rig.connector()
        writes = [rig.person(number) for number in range(4)]
        try:
            before = connector.write(rig.bench.people, writes)
        except errors.Retryable:
            before = []

        after = connector.write(rig.bench.people, writes)

        assert kinds(before) <= {errors.OutcomeUnknown, type(None)}
        assert kinds(after) == {type(None)}
        assert len(rig.held(rig.bench.people)) == 4

    def test_reordered_results_find_their_writes(self, rig: Rig) -> None:
        rig.simulator.set_fault("reordered_results", count=1)
        writes = [rig.person(number) for number in range(10)]

        results = rig.connector().write(rig.bench.people, writes)

        held = rig.held(rig.bench.people)
        ids = {one["properties"][rig.bench.key]: one["id"] for one in held}
        expected = [str(ids[write.key_value]) for write in writes]
        assert [one.remote_id for one in results] == expected

    def test_a_redirect_is_not_followed(self, rig: Rig) -> None:
        rig.simulator.set_fault("redirect", count=1)

        with pytest.raises(errors.Misconfigured):
            rig.connector().describe(rig.bench.people)

    def test_a_refused_right_is_named(self, rig: Rig) -> None:
        rig.simulator.add_token("pat-narrow", ["oauth"])

        with pytest.raises(errors.PermissionMissing) as caught:
            rig.connector("pat-narrow").write(rig.bench.people, [rig.person(1)])

        assert caught.value.scopes

    # Reading

    def test_records_are_fetched_by_id_and_by_key_and_the_missing_left_out(
        self, rig: Rig
    ) -> None:
        bench, connector = rig.bench, rig.connector()
        known = connector.write(bench.people, [rig.person(1), rig.person(2)])
        ids = [str(one.remote_id) for one in known]

        by_id = connector.fetch(bench.people, [*ids, "999999"], fields=[bench.text])
        by_key = connector.fetch(
            bench.people,
            ["person2@example.com", "nobody@example.com"],
            fields=[bench.text],
            key_field=bench.key,
        )

        assert {one.remote_id for one in by_id} == set(ids)
        assert [one.fields[bench.text] for one in by_key] == ["Person 2"]
        assert by_key[0].fields[bench.key] == "person2@example.com"
        assert by_key[0].updated_at is not None

    def test_changes_are_walked_without_gap_or_repetition(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        page = CONNECTORS[bench.vendor].spec.search.page
        rig.simulator.seed(
            [
                {
                    "object": bench.people,
                    "properties": {bench.key: "p{n}@example.com"},
                    "count": 2 * page + 7,
                }
            ]
        )
        now = datetime.now(UTC)
        window = (now - timedelta(hours=1), now + timedelta(hours=1))
        seen: list[str] = []
        cursor: str | None = None
        pages = 0
        while pages == 0 or cursor is not None:
            found = connector.changed_since(bench.people, *window, cursor, [bench.key])
            seen += [one.remote_id for one in found.records]
            cursor, pages = found.cursor, pages + 1

        assert len(seen) == len(set(seen)) == 2 * page + 7
        assert pages == 3

    def test_a_window_without_changes_is_one_empty_page(self, rig: Rig) -> None:
        connector = rig.connector()
        connector.write(rig.bench.people, [rig.person(1)])
        past = datetime(2020, 1, 1, tzinfo=UTC)

        page = connector.changed_since(rig.bench.people, past, past, None, [])

        assert page.records == ()
        assert page.cursor is None

    def test_a_search_finds_by_value_and_by_list(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        connector.write(bench.people, [rig.person(n) for n in range(4)])
        one = Filter(bench.key, "eq", "person2@example.com")
        some = Filter(bench.key, "in", ("Person1@example.com", "PERSON3@EXAMPLE.COM"))

        by_value = connector.search(bench.people, [one], [bench.text], 10)
        by_list = connector.search(bench.people, [some], [bench.text], 10)

        assert [r.fields[bench.text] for r in by_value.records] == ["Person 2"]
        assert len(by_list.records) == 2

    def test_a_search_that_asks_too_much_is_refused_here(self, rig: Rig) -> None:
        many = [Filter(rig.bench.key, "has")] * 99

        with pytest.raises(errors.Unsupported):
            rig.connector().search(rig.bench.people, many, [], 10)

        assert rig.calls == []

    def test_fields_are_described(self, rig: Rig) -> None:
        fields = {f.name: f for f in rig.connector().describe(rig.bench.people)}

        assert fields[rig.bench.text].type == "text"
        assert not fields[rig.bench.text].read_only
        assert any(one.read_only for one in fields.values())
        assert any(one.options for one in fields.values())

    def test_owners_and_pipelines_are_listed(self, rig: Rig) -> None:
        connector = rig.connector()

        owners = connector.owners()
        pipelines = connector.pipelines(rig.bench.deals)

        assert all(one.id and one.email and one.active for one in owners)
        assert len(owners) > 1
        assert any(stage.closed for one in pipelines for stage in one.stages)
        assert connector.pipelines(rig.bench.people) == ()

    # Associations

    def test_a_create_brings_its_associations_in_the_same_call(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        person = connector.write(rig.bench.people, [rig.person(1)])[0]
        rig.calls.clear()
        tie = Association(rig.bench.people, str(person.remote_id))

        note = connector.write(rig.bench.activity, [rig.note(1, tie)])[0]

        assert len(rig.calls) == 1
        found = connector.associations(
            rig.bench.activity, rig.bench.people, [str(note.remote_id)]
        )
        assert found == {note.remote_id: [person.remote_id]}

    def test_an_upsert_brings_its_associations_too(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        note = connector.write(rig.bench.activity, [rig.note(1)])[0]
        tie = Association(rig.bench.activity, str(note.remote_id))

        person = connector.write(
            rig.bench.people, [replace(rig.person(1), associations=(tie,))]
        )[0]

        assert person.error is None
        found = connector.associations(
            rig.bench.people, rig.bench.activity, [str(person.remote_id)]
        )
        assert found == {person.remote_id: [note.remote_id]}

    def test_an_association_that_fails_does_not_hide_the_record(self, rig: Rig) -> None:
        tie = Association(rig.bench.activity, "999999")
        other = rig.person(2)

        results = rig.connector().write(
            rig.bench.people, [replace(rig.person(1), associations=(tie,)), other]
        )

        assert results[0].remote_id is not None
        assert results[0].error is not None
        assert results[1].error is None

    def test_associations_can_be_made_twice_and_none_is_none(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.activity)
        connector = rig.connector()
        people = connector.write(rig.bench.people, [rig.person(1), rig.person(2)])
        note = connector.write(rig.bench.activity, [rig.note(1)])[0]
        ids = [str(one.remote_id) for one in people]
        ties = [(ids[0], Association(rig.bench.activity, str(note.remote_id)))]

        made = connector.associate(rig.bench.people, ties)
        again = connector.associate(rig.bench.people, ties)

        assert made == again == [None]
        found = connector.associations(rig.bench.people, rig.bench.activity, ids)
        assert found == {ids[0]: [note.remote_id], ids[1]: []}

    # Set-up

    def test_missing_fields_are_made_once(self, rig: Rig) -> None:
        connector = rig.connector()
        wanted = [rig.own_field(), RemoteField("shoe_size", "Shoe size", "number")]

        made = connector.ensure_fields(rig.bench.people, wanted)
        rig.calls.clear()
        again = connector.ensure_fields(rig.bench.people, wanted)

        assert [one.refusal for one in made + again] == [None] * 4
        assert [one.type for one in again] == ["text", "number"]
        assert made[0].unique
        assert len(rig.calls) == 1

    def test_a_field_that_cannot_be_made_is_refused_alone(self, rig: Rig) -> None:
        bench = rig.bench
        wanted = [
            RemoteField("Not A Name!", "Bad", "text"),
            RemoteField("nice_one", "Nice", "enum"),
            RemoteField("good_one", "Good", "bool"),
            RemoteField("odd_one", "Odd", "owner"),
            RemoteField(bench.text, "There, but not unique", "text", unique=True),
        ]

        made = rig.connector().ensure_fields(bench.people, wanted)

        refused = [one.name for one in made if one.refusal]
        assert "good_one" not in refused
        assert {"Not A Name!", "odd_one", bench.text} <= set(refused)

    def test_a_record_is_upserted_by_our_own_key(self, rig: Rig) -> None:
        rig.add_own_key(rig.bench.people)
        connector = rig.connector()
        write = Write(
            "r", rig.bench.people, None, rig.own_key(), "key-1", {rig.bench.text: "A"}
        )

        first = connector.write(rig.bench.people, [write])[0]
        again = connector.write(rig.bench.people, [write])[0]

        assert first.error is None
        assert (first.remote_id, again.created) == (again.remote_id, False)
