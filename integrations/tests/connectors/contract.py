"""What every connector keeps when it writes, whatever its vendor."""

from dataclasses import replace

import pytest

from integrations import errors
from integrations.connectors import CONNECTORS
from integrations.connectors.http import CallRecord
from integrations.records import WriteResult
from integrations.tests.connectors.benches import Rig

SILENT = ("empty_2xx", "blank_2xx", "html_2xx", "truncated_json", "missing_results")


def kinds(results: list[WriteResult]) -> set[type]:
    return {type(result.error) for result in results}


class WritingContract:
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
        assert rig.written() == [20]

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
        assert rig.written() == [size, size, 1]

    def test_a_record_named_twice_is_written_twice_in_order(self, rig: Rig) -> None:
        text = rig.bench.text
        one, other = rig.person(1, **{text: "Old"}), rig.person(1, **{text: "New"})
        writes = [one, replace(other, ref="again")]

        results = rig.connector().write(rig.bench.people, writes)

        assert results[0].remote_id == results[1].remote_id
        assert rig.held(rig.bench.people)[0].fields[text] == "New"

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
        assert len(rig.written()) == 2

    def test_none_clears_a_field_and_an_absent_one_stays(self, rig: Rig) -> None:
        connector = rig.connector()
        connector.write(
            rig.bench.people, [rig.person(1, **{rig.bench.other_text: "Stays"})]
        )

        connector.write(rig.bench.people, [rig.person(1, **{rig.bench.text: None})])

        left = rig.held(rig.bench.people)[0].fields
        assert left.get(rig.bench.text) in (None, "")
        assert left[rig.bench.other_text] == "Stays"

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
            if record.method != "GET":
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
        ids = {one.fields[rig.bench.key]: one.id for one in held}
        expected = [ids[write.key_value] for write in writes]
        assert [one.remote_id for one in results] == expected

    def test_a_redirect_is_not_followed(self, rig: Rig) -> None:
        rig.simulator.set_fault("redirect", count=1)

        with pytest.raises(errors.Misconfigured):
            rig.connector().describe(rig.bench.people)

    def test_a_refused_right_is_named(self, rig: Rig) -> None:
        narrow = rig.bench.narrow_token(rig.simulator)
        if narrow is None:
            pytest.skip("what a token may do is no part of it there")

        with pytest.raises(errors.PermissionMissing) as caught:
            rig.connector(narrow).write(rig.bench.people, [rig.person(1)])

        assert caught.value.scopes
