"""Deltas, scans and merges against the simulator: late rows, equal times, windows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors import CONNECTORS
from integrations.connectors.http import CallRecord, HttpClient
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.records import Page, RemoteRecord
from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator

FIELDS = ["email", "firstname"]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSimulator]:
    with RunningSimulator("hubspot") as simulator:
        yield simulator


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    running.reset(keep_tokens=False)
    running.configure(limits=False, index_delay_s=0)
    return running


@pytest.fixture
def calls() -> list[CallRecord]:
    return []


@pytest.fixture
def hubspot(
    simulator: RunningSimulator, calls: list[CallRecord]
) -> Iterator[HubSpotConnector]:
    with HttpClient(
        simulator.base_url,
        lambda refused=None: PRIVATE_TOKEN,
        vendor="hubspot",
        parse_error=CONNECTORS["hubspot"].parse_error,
        on_call=calls.append,
    ) as client:
        yield HubSpotConnector(client)


def seed(simulator: RunningSimulator, count: int, **more: Any) -> list[str]:
    properties = {"email": "p{n}@example.com", "firstname": "Person {n}"}
    entry = {"object": "contacts", "properties": properties, "count": count}
    ids: list[str] = simulator.seed([entry | more])["contacts"]
    return ids


def change(simulator: RunningSimulator, remote_id: str, **properties: str) -> None:
    entry = {"object": "contacts", "id": remote_id, "properties": properties}
    simulator.seed([entry])


def merge(
    hubspot: HubSpotConnector, primary: str, other: str, object_type: str = "contacts"
) -> str:
    body = {"primaryObjectId": primary, "objectIdToMerge": other}
    made = hubspot.calls.post(f"/crm/v3/objects/{object_type}/merge", body)
    return str(made["id"])


def walked(
    read: Callable[[str | None], Page], after_page: Callable[[int], None] | None = None
) -> list[RemoteRecord]:
    """Read to the end; after_page is told how many pages have been read."""
    found: list[RemoteRecord] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        page = read(cursor)
        found += page.records
        cursor, pages = page.cursor, pages + 1
        if after_page is not None:
            after_page(pages)
    return found


def delta(
    hubspot: HubSpotConnector, since: datetime, until: datetime
) -> Callable[[str | None], Page]:
    return lambda cursor: hubspot.changed_since(
        "contacts", since, until, cursor, FIELDS
    )


def ids_of(found: list[RemoteRecord]) -> list[str]:
    return [one.remote_id for one in found]


def test_a_row_that_becomes_visible_late_is_in_the_overlap_of_the_next_window(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    now = datetime.now(UTC)
    overlap = timedelta(minutes=10)
    simulator.configure(index_delay_s=300)
    late = str(
        hubspot.calls.post(
            "/crm/v3/objects/contacts", {"properties": {"email": "late@example.com"}}
        )["id"]
    )
    until = now + timedelta(seconds=30)

    first = walked(delta(hubspot, now - HOUR, until))
    simulator.configure(clock_skew_s=301)
    second = walked(delta(hubspot, until - overlap, until + overlap))

    assert first == []
    assert ids_of(second) == [late]


def test_twelve_thousand_rows_of_one_timestamp_all_come_once(
    simulator: RunningSimulator,
    hubspot: HubSpotConnector,
    calls: list[CallRecord],
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    seeded = seed(simulator, 12_000, updatedAt=at.isoformat())

    found = walked(delta(hubspot, at, at))

    assert sorted(ids_of(found), key=int) == seeded
    assert {one.updated_at for one in found} == {at}
    assert len(calls) == 12_000 / 200
    assert {one.status for one in calls} == {200}


def test_a_row_ahead_that_changes_while_paging_comes_in_the_next_window(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    seeded = seed(simulator, 450, updatedAt=at.isoformat())
    later = datetime.now(UTC) - HOUR

    def edit_the_last_once(pages: int) -> None:
        if pages == 1:
            change(simulator, seeded[-1], firstname="Edited")

    first = walked(delta(hubspot, at, later), edit_the_last_once)
    second = walked(delta(hubspot, later, later + 2 * HOUR))

    assert sorted(ids_of(first), key=int) == seeded[:-1]
    assert [(one.remote_id, one.fields["firstname"]) for one in second] == [
        (seeded[-1], "Edited")
    ]


def test_a_row_behind_that_changes_while_paging_comes_again_as_it_is_now(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    seeded = seed(simulator, 450, updatedAt=at.isoformat())
    later = datetime.now(UTC) - HOUR

    def edit_the_first_once(pages: int) -> None:
        if pages == 1:
            change(simulator, seeded[0], firstname="Edited")

    first = walked(delta(hubspot, at, later), edit_the_first_once)
    second = walked(delta(hubspot, later, later + 2 * HOUR))

    assert len(first) == len(set(ids_of(first))) == 450
    assert [(one.remote_id, one.fields["firstname"]) for one in second] == [
        (seeded[0], "Edited")
    ]


def test_the_window_holds_both_of_its_ends_and_nothing_beyond(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    step = timedelta(milliseconds=1)
    stamps = [at - step, at, at + HOUR, at + HOUR + step]
    seeded = [
        seed(
            simulator,
            1,
            properties={"email": f"w{number}@example.com"},
            updatedAt=stamp.isoformat(),
        )[0]
        for number, stamp in enumerate(stamps)
    ]

    found = walked(delta(hubspot, at, at + HOUR))

    assert ids_of(found) == seeded[1:3]


def test_what_is_archived_is_no_change_and_is_gone_instead(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    seeded = seed(simulator, 3)
    now = datetime.now(UTC)
    hubspot.delete("contacts", [seeded[1]])

    changed = walked(delta(hubspot, now - HOUR, now + HOUR))
    listed = walked(lambda cursor: hubspot.scan("contacts", cursor, FIELDS))
    gone = went(hubspot, "contacts", now - HOUR, now + HOUR)

    assert ids_of(changed) == ids_of(listed) == [seeded[0], seeded[2]]
    assert [(one.remote_id, one.merged_into) for one in gone] == [(seeded[1], None)]
    assert gone[0].at is not None


def test_the_recycle_bin_is_read_to_its_end(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    seeded = seed(simulator, 250)
    now = datetime.now(UTC)
    hubspot.delete("contacts", seeded)

    gone = went(hubspot, "contacts", now - HOUR, now + HOUR)
    before = went(hubspot, "contacts", now - 2 * HOUR, now - HOUR)

    assert [one.remote_id for one in gone] == seeded
    assert before == []


@pytest.mark.parametrize("object_type", ["contacts", "companies"])
@pytest.mark.parametrize("new_id", [True, False])
def test_a_merged_id_leads_to_its_survivor_everywhere(
    simulator: RunningSimulator,
    hubspot: HubSpotConnector,
    object_type: str,
    *,
    new_id: bool,
) -> None:
    simulator.configure(merge_makes_new_id=new_id)
    key = "email" if object_type == "contacts" else "name"
    entry = {"object": object_type, "count": 2, "properties": {key: "p{n}@example.com"}}
    first, second = simulator.seed([entry])[object_type]
    now = datetime.now(UTC)

    survivor = merge(hubspot, first, second, object_type)

    lost = {first, second} - {survivor}
    found = hubspot.fetch(object_type, [second], fields=[key])
    window = (now - HOUR, now + HOUR)
    changed = hubspot.changed_since(object_type, *window, None, [key]).records
    listed = hubspot.scan(object_type, None, [key]).records
    gone = went(hubspot, object_type, *window)
    for record in (*found, *changed, *listed):
        assert record.remote_id == survivor
        assert set(record.other_ids) == lost
    assert len(changed) == len(listed) == 1
    assert {(one.remote_id, one.merged_into) for one in gone} == {
        (one, survivor) for one in lost
    }


def test_a_merge_of_merged_records_keeps_every_id(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    first, second, third = seed(simulator, 3)

    survivor = merge(hubspot, third, merge(hubspot, first, second))

    record = hubspot.fetch("contacts", [first], fields=[])[0]
    assert record.remote_id == survivor
    assert {first, second, third} <= set(record.other_ids)


def test_a_stopped_scan_goes_on_from_its_cursor_even_if_that_record_went(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    seeded = seed(simulator, 250)
    first = hubspot.scan("contacts", None, FIELDS)
    hubspot.delete("contacts", [str(first.cursor)])

    rest = []
    cursor = first.cursor
    while cursor is not None:
        page = hubspot.scan("contacts", cursor, FIELDS)
        rest += ids_of(list(page.records))
        cursor = page.cursor

    assert ids_of(list(first.records)) == seeded[:100]
    assert rest == seeded[101:]


def test_counting_ten_thousand_is_one_call(
    simulator: RunningSimulator,
    hubspot: HubSpotConnector,
    calls: list[CallRecord],
) -> None:
    seed(simulator, 10_500)

    assert hubspot.count("contacts") == 10_500
    assert len(calls) == 1


def test_the_time_of_a_change_is_told_field_by_field(
    simulator: RunningSimulator, hubspot: HubSpotConnector
) -> None:
    first, second = seed(simulator, 2)
    before = hubspot.changed_at("contacts", [first, second, "9"], [*FIELDS, "phone"])
    simulator.configure(clock_skew_s=3600)
    change(simulator, first, firstname="Edited")

    after = hubspot.changed_at("contacts", [first], FIELDS)

    assert set(before) == {first, second}
    assert set(before[second]) == set(FIELDS)
    assert after[first]["email"] == before[first]["email"]
    assert after[first]["firstname"] - before[first]["firstname"] >= HOUR


def went(
    hubspot: HubSpotConnector, object_type: str, since: datetime, until: datetime
) -> list[Any]:
    found: list[Any] = []
    cursor, begun = None, False
    while not begun or cursor is not None:
        page = hubspot.gone_since(object_type, since, until, cursor)
        found += page.records
        cursor, begun = page.cursor, True
    return found
