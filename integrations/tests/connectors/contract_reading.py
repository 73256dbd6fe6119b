"""What every connector keeps when it reads, whatever its vendor."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations import errors
from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.records import (
    FieldType,
    Filter,
    Gone,
    Page,
    RemoteField,
    RemoteRecord,
    Write,
)
from integrations.tests.connectors.benches import Rig

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STEP = timedelta(milliseconds=1)


def pages_of(read: Callable[[str | None], Page]) -> list[list[RemoteRecord]]:
    first = read(None)
    pages, cursor = [list(first.records)], first.cursor
    while cursor is not None:
        page = read(cursor)
        pages.append(list(page.records))
        cursor = page.cursor
    return pages


def ids_in(pages: list[list[RemoteRecord]]) -> list[str]:
    return [one.remote_id for page in pages for one in page]


def gone_from(connector: Connector, rig: Rig) -> dict[str, Gone]:
    """Return what went within an hour of now, the first word about each id."""
    now = datetime.now(UTC)
    found: dict[str, Gone] = {}
    cursor, begun = None, False
    while not begun or cursor is not None:
        page = connector.gone_since(rig.bench.people, now - HOUR, now + HOUR, cursor)
        for one in page.records:
            found.setdefault(one.remote_id, one)
        cursor, begun = page.cursor, True
    return found


def form(connector: Connector, text: str | None, field: RemoteField) -> str:
    return connector.to_remote(connector.from_remote(text, field), field)


class ReadingContract:
    """Mixed into one test class, which is run for every line of CONNECTORS."""

    # What went, and what is only out of sight

    def test_the_deleted_are_named_and_the_hidden_are_not(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        written = connector.write(bench.people, [rig.person(n) for n in range(3)])
        there, deleted, hidden = (str(one.remote_id) for one in written)
        connector.delete(bench.people, [deleted])
        rig.simulator.configure(hidden_records=hidden)

        asked = [there, deleted, hidden]
        named = connector.gone_among(bench.people, asked)
        read = connector.fetch(bench.people, asked, fields=[])

        assert [(one.remote_id, one.merged_into) for one in named] == [(deleted, None)]
        assert [one.remote_id for one in read] == [there]

    def test_a_batch_of_the_missing_is_asked_about_in_one_call(self, rig: Rig) -> None:
        connector = rig.connector()
        ids = rig.bench.seed_people(rig.simulator, connector.spec.batch.read)
        before = len(rig.calls)

        connector.gone_among(rig.bench.people, [*ids, *ids])
        connector.gone_among(rig.bench.people, [])

        assert len(rig.calls) == before + 1

    # By id, by key and by search

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

    # Changes

    def test_changes_are_walked_without_gap_or_repetition(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        size = CONNECTORS[bench.vendor].spec.search.page
        seeded = bench.seed_people(rig.simulator, 2 * size + 7, changed_at=NOON)

        pages = pages_of(
            lambda cursor: connector.changed_since(
                bench.people, NOON, NOON, cursor, [bench.key]
            )
        )

        assert sorted(ids_in(pages)) == sorted(seeded)
        assert len(pages) == 3

    def test_changes_of_exactly_full_pages_cost_no_empty_one(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        size = CONNECTORS[bench.vendor].spec.search.page
        bench.seed_people(rig.simulator, size, changed_at=NOON)

        pages = pages_of(
            lambda cursor: connector.changed_since(
                bench.people, NOON, NOON, cursor, [bench.key]
            )
        )

        assert [len(page) for page in pages] == [size]

    def test_only_what_changed_in_the_window_is_a_change(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        stamps = {
            "before": NOON - STEP * 1000,
            "first": NOON,
            "last": NOON + HOUR,
            "after": NOON + HOUR + STEP * 1000,
        }
        seeded = {
            name: bench.seed_people(rig.simulator, 1, name=name, changed_at=at)[0]
            for name, at in stamps.items()
        }

        pages = pages_of(
            lambda cursor: connector.changed_since(
                bench.people, NOON, NOON + HOUR, cursor, [bench.text]
            )
        )

        assert sorted(ids_in(pages)) == sorted([seeded["first"], seeded["last"]])
        assert {one.updated_at for page in pages for one in page} == {
            NOON,
            NOON + HOUR,
        }
        assert {one.fields[bench.text] for page in pages for one in page} == {
            "Person 1"
        }

    def test_a_deleted_record_is_no_change(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        kept, dropped = bench.seed_people(rig.simulator, 2)
        now = datetime.now(UTC)

        connector.delete(bench.people, [dropped])

        page = connector.changed_since(bench.people, now - HOUR, now + HOUR, None, [])
        assert [one.remote_id for one in page.records] == [kept]

    # Everything

    def test_a_scan_reads_every_record_once_and_ends(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        seeded = bench.seed_people(rig.simulator, 2 * bench.scan_page + 3)

        pages = pages_of(
            lambda cursor: connector.scan(bench.people, cursor, [bench.text])
        )

        assert sorted(ids_in(pages)) == sorted(seeded)
        assert [len(page) for page in pages] == [bench.scan_page, bench.scan_page, 3]
        assert all(one.fields[bench.text] for page in pages for one in page)

    def test_a_scan_goes_on_from_a_cursor_in_another_process(self, rig: Rig) -> None:
        bench = rig.bench
        seeded = bench.seed_people(rig.simulator, 2 * bench.scan_page + 3)
        stopped = rig.connector().scan(bench.people, None, [])

        again = rig.connector()
        rest = [again.scan(bench.people, stopped.cursor, [])]
        rest.append(again.scan(bench.people, rest[0].cursor, []))

        walked = ids_in([list(page.records) for page in (stopped, *rest)])
        assert sorted(walked) == sorted(seeded)
        assert rest[1].cursor is None

    def test_a_scan_of_nothing_is_one_empty_page(self, rig: Rig) -> None:
        page = rig.connector().scan(rig.bench.people, None, [rig.bench.text])

        assert (page.records, page.cursor) == ((), None)
        assert len(rig.calls) == 1

    def test_a_scan_leaves_out_what_is_deleted(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        kept, dropped = bench.seed_people(rig.simulator, 2)

        connector.delete(bench.people, [dropped])

        page = connector.scan(bench.people, None, [])
        assert [one.remote_id for one in page.records] == [kept]

    def test_counting_costs_one_call_or_is_refused(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        bench.seed_people(rig.simulator, 7)

        assert connector.count(bench.people) in (7, None)
        assert len(rig.calls) <= 1

    # What went

    def test_a_deletion_is_told_and_a_live_record_is_not(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        kept, *dropped = bench.seed_people(rig.simulator, bench.scan_page + 5)

        connector.delete(bench.people, dropped)

        gone = gone_from(connector, rig)
        assert set(dropped) <= set(gone)
        assert kept not in gone
        assert {gone[one].merged_into for one in dropped} == {None}

    def test_a_merge_is_told_with_its_survivor(self, rig: Rig) -> None:
        connector = rig.connector()
        first, second = rig.bench.seed_people(rig.simulator, 2)

        survivor = rig.bench.merge(rig, first, second)

        if survivor is None:
            pytest.skip("nothing is merged there")
        gone = gone_from(connector, rig)
        assert gone[second].merged_into == survivor
        assert survivor not in gone

    # When and in which form

    def test_a_change_is_dated_where_the_vendor_dates_fields(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        fields = [bench.text, bench.other_text]
        write = rig.person(1, **{bench.other_text: "Stays"})
        remote_id = str(connector.write(bench.people, [write])[0].remote_id)
        before = connector.changed_at(bench.people, [remote_id, "999999"], fields)
        bench.pass_time(rig.simulator, HOUR.total_seconds())
        connector.write(bench.people, [rig.person(1, **{bench.text: "Renamed"})])

        after = connector.changed_at(bench.people, [remote_id], fields)

        dated, redated = before.get(remote_id, {}), after.get(remote_id, {})
        assert set(before) <= {remote_id}
        assert set(dated) <= set(fields)
        assert all(at.tzinfo is not None for at in dated.values())
        assert redated.get(bench.other_text) == dated.get(bench.other_text)
        if bench.text in redated and bench.text in dated:
            assert redated[bench.text] - dated[bench.text] >= HOUR

    def test_texts_that_mean_the_same_have_one_form(self, rig: Rig) -> None:
        connector = rig.connector()

        for field, spellings in rig.bench.spellings:
            forms = {form(connector, text, field) for text in spellings}
            again = {form(connector, text, field) for text in forms}

            assert len(forms) == 1, field.name
            assert again == forms, field.name

    @pytest.mark.parametrize("kind", ["text", "phone", "enum"])
    def test_a_text_goes_as_it_is(self, rig: Rig, kind: FieldType) -> None:
        # A mapping counts on it, and asks no connector about a text.
        field = RemoteField("x", "X", kind)

        sent = rig.connector().to_remote("  Adé \n", field)

        assert sent == "  Adé \n"

    def test_a_value_comes_back_in_the_form_it_went(self, rig: Rig) -> None:
        bench, connector = rig.bench, rig.connector()
        wanted = [field for field, _ in bench.spellings]
        made = connector.ensure_fields(bench.people, wanted)
        texts = [spellings for _, spellings in bench.spellings]
        sent = [
            {
                field.name: connector.from_remote(
                    spellings[turn % len(spellings)], field
                )
                for field, spellings in zip(made, texts, strict=True)
            }
            for turn in range(max(map(len, texts)))
        ]
        writes = [
            Write(
                str(number),
                bench.people,
                None,
                bench.key,
                f"v{number}@example.com",
                {**bench.always, **one},
            )
            for number, one in enumerate(sent)
        ]

        results = connector.write(bench.people, writes)

        assert [one.error for one in results] == [None] * len(writes)
        ids = [str(one.remote_id) for one in results]
        names = [field.name for field in made]
        stored = connector.fetch(bench.people, ids, fields=names)
        for record in stored:
            for field, spellings in zip(made, texts, strict=True):
                found = form(connector, record.fields[field.name], field)
                assert found == form(connector, spellings[0], field)

    def test_nothing_and_empty_are_one(self, rig: Rig) -> None:
        connector = rig.connector()

        for field, _ in rig.bench.spellings:
            assert connector.from_remote(None, field) is None
            assert form(connector, None, field) == form(connector, "", field) == ""

    def test_an_answer_to_a_write_dates_the_record_as_reading_does(
        self, rig: Rig
    ) -> None:
        bench, connector = rig.bench, rig.connector()

        result = connector.write(bench.people, [rig.person(1)])[0]

        read = connector.fetch(bench.people, [str(result.remote_id)], fields=[])
        assert result.updated_at in (read[0].updated_at, None)
