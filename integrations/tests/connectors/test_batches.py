"""Every item of every batch ends with exactly one outcome."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.batches import MAX_REFUSED_ALONE, settle
from integrations.connectors.paging import chunks
from integrations.errors import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    Retryable,
    SyncError,
)
from integrations.tests.connectors.fuzz import patient


class Vendor:
    """Takes a batch whole or not at all, and counts how often it took each item."""

    def __init__(self, bad: Any = (), *, by_call: Any = ()) -> None:
        self.bad = set(bad)
        self.by_call = dict(by_call)
        self.calls = 0
        self.taken: list[Any] = []

    def send(self, batch: Any) -> Any:
        self.calls += 1
        if self.calls in self.by_call:
            raise self.by_call[self.calls]
        if self.bad & set(batch):
            raise RecordRejected("one of them is bad")
        self.taken += batch
        return [(item, None) for item in batch]


def failed(item: Any, error: Any) -> Any:
    return (item, error)


@patient
@given(st.integers(1, 100), st.sets(st.integers(0, 99), max_size=7))
def test_bad_records_are_found_and_good_ones_are_sent_once(size: int, bad: Any) -> None:
    vendor = Vendor(bad)

    done = settle([range(size)], vendor.send, failed)

    assert sorted(item for item, _ in done) == list(range(size))
    assert sorted(vendor.taken) == [n for n in range(size) if n not in bad]
    assert {n for n, error in done if error} == {n for n in bad if n < size}


def test_one_bad_record_costs_no_more_than_the_halvings() -> None:
    vendor = Vendor({41})

    settle([range(100)], vendor.send, failed)

    assert vendor.calls <= 2 * math.ceil(math.log2(100)) + 1


def test_blamed_records_are_left_out_and_the_others_go_in_one_call() -> None:
    vendor = Vendor(by_call={1: Misconfigured("no such field", field="x")})

    done = settle(
        [range(100)], vendor.send, failed, blamed=lambda item, error: item % 10 == 0
    )

    assert vendor.calls == 2
    assert len(vendor.taken) == 90
    assert sum(isinstance(error, Misconfigured) for _, error in done) == 10


def test_a_batch_that_is_all_bad_is_given_up_with_the_rest_to_be_tried_again() -> None:
    vendor = Vendor(range(100))

    done = settle([range(100)], vendor.send, failed)

    rejected = [n for n, error in done if isinstance(error, RecordRejected)]
    later = [n for n, error in done if isinstance(error, Retryable)]
    assert len(rejected) == MAX_REFUSED_ALONE
    assert sorted(rejected + later) == list(range(100))
    assert vendor.calls < 60


def test_a_refusal_of_the_first_call_is_raised() -> None:
    vendor = Vendor(by_call={1: RateLimited(retry_after_s=3)})

    with pytest.raises(RateLimited):
        settle([[1, 2], [3]], vendor.send, failed)

    assert vendor.calls == 1


def test_an_outage_is_of_the_call_that_met_it_and_what_follows_is_not_sent() -> None:
    vendor = Vendor(by_call={1: Retryable("bad gateway")})

    done = settle([[1, 2], [3], [4]], vendor.send, failed)

    assert [(n, type(error)) for n, error in done] == [
        (1, Retryable),
        (2, Retryable),
        (3, NotSent),
        (4, NotSent),
    ]
    assert vendor.calls == 1


def test_an_outage_of_the_only_call_is_raised() -> None:
    vendor = Vendor(by_call={1: Retryable("bad gateway")})

    with pytest.raises(Retryable):
        settle([[1, 2]], vendor.send, failed)


def test_each_batch_may_have_its_bad_records() -> None:
    bad = {n for n in range(600) if n % 100 < 5}
    vendor = Vendor(bad)

    done = settle(chunks(range(600), 100), vendor.send, failed)

    assert len(bad) > MAX_REFUSED_ALONE
    assert {n for n, error in done if isinstance(error, RecordRejected)} == bad
    assert len(vendor.taken) == 600 - len(bad)


def test_what_comes_after_a_batch_that_was_given_up_is_not_sent() -> None:
    vendor = Vendor(range(200))

    done = dict(settle([range(100), range(100, 200)], vendor.send, failed))

    assert all(isinstance(done[n], NotSent) for n in range(100, 200))
    assert not any(isinstance(done[n], NotSent) for n in range(100))


def test_a_refusal_after_a_success_does_not_lose_the_success() -> None:
    vendor = Vendor(by_call={2: RateLimited(retry_after_s=3)})

    done = settle([[1, 2], [3], [4]], vendor.send, failed)

    assert [(n, type(error)) for n, error in done] == [
        (1, type(None)),
        (2, type(None)),
        (3, RateLimited),
        (4, RateLimited),
    ]
    assert vendor.calls == 2


def test_an_unknown_outcome_belongs_to_its_batch_and_others_go_on() -> None:
    vendor = Vendor(by_call={1: OutcomeUnknown("no answer")})

    done = dict(settle([[1, 2], [3]], vendor.send, failed))

    assert isinstance(done[1], OutcomeUnknown)
    assert isinstance(done[2], OutcomeUnknown)
    assert done[3] is None


def test_a_batch_of_one_that_is_refused_is_not_sent_again() -> None:
    vendor = Vendor({1})

    done = settle([[1]], vendor.send, failed)

    assert vendor.calls == 1
    assert isinstance(done[0][1], SyncError)
