"""Pages settled abreast come to what they would come to one after the other."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import Page, RemoteRecord
from integrations.sync import abreast, intake
from integrations.sync.turns import Turn, Words
from integrations.tests.sync.crm import both_ways
from leads.facts import Origin
from leads.models import Company, Lead
from leads.services import records

HERE = Origin("user", "1", "Ada Example")
WAIT_S = 10.0
# How long a page that is worked out stays unwritten, so that others are, too.
A_WHILE_S = 0.3
NOTHING = Words()
A = Words({"phone 1"}, {"phone 1"})
ANOTHER = Words({"phone 2"}, {"phone 2"})
# Has an address, and so is not looked for by the phone that others find it by.
COLLEAGUE = Words({"email a"}, {"email a", "phone 1"})

needs_transactions = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="one transaction at a time elsewhere"
)


def after(*words: Words) -> Turn:
    """Return the turn behind one that said what it is about and is not over."""
    before = Turn()
    before.meeting(words)
    return Turn(before)


def test_only_what_meets_the_page_before_waits() -> None:
    assert after(A).meeting([A, ANOTHER, NOTHING]) == [True, False, False]
    assert after(COLLEAGUE).meeting([A, COLLEAGUE]) == [True, True]


def test_colleagues_of_one_phone_do_not_wait_for_each_other() -> None:
    other = Words({"email b"}, {"email b", "phone 1"})

    assert after(COLLEAGUE).meeting([other]) == [False]


def test_who_is_found_by_what_another_looks_for_waits_for_them() -> None:
    assert after(A).meeting([COLLEAGUE]) == [True]


def test_what_meets_one_that_waits_waits_too() -> None:
    both = Words({"email a"}, {"email a", "phone 2"})
    of_phone_2 = Words({"phone 2"}, {"phone 2"})
    before = Words({"email a"}, {"email a"})

    assert after(before).meeting([of_phone_2, both, A]) == [True, True, False]


def test_what_is_over_when_reading_begins_is_no_reason_to_wait() -> None:
    before = Turn()
    before.meeting([A])
    before.end()
    turn = Turn(before)
    turn.look()

    assert turn.meeting([A]) == [False]


def test_what_ended_after_reading_began_is_looked_for_again() -> None:
    before = Turn()
    turn = Turn(before)
    turn.look()
    before.meeting([A])
    before.end()

    assert turn.meeting([A]) == [True]
    turn.wait_for_before()
    turn.look()
    assert turn.meeting([A]) == [False]


def test_it_waits_to_hear_what_the_page_before_is_about() -> None:
    before = Turn()
    turn = Turn(before)
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(turn.meeting, [A])
        assert not told.done()
        before.meeting([A])

        assert told.result(WAIT_S) == [True]


def test_a_page_that_waits_itself_is_heard_when_it_knows_what_came_of_it() -> None:
    second = after(A)
    third = Turn(second)
    assert second.meeting([A, ANOTHER]) == [True, False]
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(third.meeting, [ANOTHER])
        assert not told.done()
        assert second._before is not None
        second._before.end()
        second.wait_for_before()
        second.look()
        second.meeting([A])

        assert told.result(WAIT_S) == [True]


def test_a_page_about_nothing_waits_for_nobody() -> None:
    assert Turn(Turn()).meeting([NOTHING]) == [False]


def test_a_page_that_failed_holds_up_nobody() -> None:
    before = Turn()
    before.end()

    assert Turn(before).meeting([A]) == [False]


# --- with records ---------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is written a while after it was worked out, each other one later.

    Whatever is worked out beside it until then has not seen it.
    """
    planned = intake.planned
    pause, lengths = threading.Event(), itertools.cycle((A_WHILE_S, A_WHILE_S / 3))

    def waiting(*given: object, **named: object) -> object:
        cases = planned(*given, **named)  # type: ignore[arg-type]
        pause.wait(next(lengths))
        return cases

    monkeypatch.setattr(intake, "planned", waiting)


def contacts(crm: Connection) -> ObjectMapping:
    return both_ways(
        ObjectMapping.objects.get(connection=crm, remote_object="contacts")
    )


def a_page(number: int, fields: Sequence[dict[str, str]], of: str = "contacts") -> Page:
    rows = (
        RemoteRecord(of, f"{number}{n:03}", one)
        for n, one in enumerate(fields, start=1)
    )
    return Page(tuple(rows), str(number))


def take_abreast(mapping: ObjectMapping, pages: Sequence[Page]) -> None:
    _take(
        mapping,
        lambda settle: list(abreast.settled(iter(pages), settle, wanted=lambda: True)),
    )


def take_one_by_one(mapping: ObjectMapping, pages: Sequence[Page]) -> None:
    def do(settle: abreast.Settle) -> None:
        for page in pages:
            settle(page, None)

    _take(mapping, do)


def _take(mapping: ObjectMapping, do: Callable[[abreast.Settle], object]) -> None:
    connector, _ = open_connector(mapping.connection)

    def settle(page: Page, turn: Turn | None) -> None:
        intake.take_in(mapping, page.records, connector, turn=turn)

    do(settle)


def outcome() -> tuple[object, ...]:
    """Return who is what now, whatever the ids: labels, who is linked, who failed."""
    names = dict(Lead.objects.values_list("pk", "last_name"))
    names |= dict(Company.objects.values_list("pk", "name"))
    links = Link.objects.values_list("remote_id", "record_id")
    parked = WorkItem.objects.filter(state=State.PARKED)
    return (
        sorted(names.values()),
        sorted(Lead.objects.values_list("last_name", "email", "phone")),
        sorted((remote_id, names[pk]) for remote_id, pk in links),
        sorted(parked.values_list("key", "error_class")),
    )


def start_anew() -> None:
    WorkItem.objects.filter(state=State.PARKED).delete()
    for model in (Link, Lead, Company):
        model.objects.all().delete()


@needs_transactions
def test_two_with_one_phone_on_two_pages_are_one_lead(
    hubspot: Connection, slow: None
) -> None:
    fields = [{"phone": "+4930123456", "lastname": name} for name in ("Ada", "Bea")]
    pages = [a_page(n, [one]) for n, one in enumerate(fields, start=1)]

    take_abreast(contacts(hubspot), pages)

    assert [lead.last_name for lead in Lead.objects.all()] == ["Ada"]
    told = WorkItem.objects.get(state=State.PARKED)
    assert told.error_class == "duplicate"


@needs_transactions
def test_who_comes_first_stays_first_where_the_second_has_an_address(
    hubspot: Connection, slow: None
) -> None:
    phone = "+4930123456"
    first = [{"phone": phone, "lastname": "Ada"}]
    second = [{"phone": phone, "lastname": "Bea", "email": "b@customer.example.org"}]
    mapping = contacts(hubspot)

    take_abreast(mapping, [a_page(1, first), a_page(2, second), a_page(3, first)])

    assert Lead.objects.count() == 2
    told = WorkItem.objects.get(state=State.PARKED)
    assert told.error_class == "ambiguous"


@needs_transactions
def test_companies_of_one_name_on_two_pages_are_one_company(
    hubspot: Connection, slow: None
) -> None:
    mapping = both_ways(
        ObjectMapping.objects.get(connection=hubspot, remote_object="companies")
    )
    same = [{"name": "Fern", "country": "France"}]

    take_abreast(mapping, [a_page(n, same, of="companies") for n in (1, 2, 3)])

    assert Company.objects.count() == Link.objects.count() == 1


@needs_transactions
def test_whom_a_changed_phone_makes_known_is_found_from_the_next_page_on(
    hubspot: Connection, slow: None
) -> None:
    mapping = contacts(hubspot)
    ada = {"email": "ada@customer.example.org", "lastname": "Ada"}
    take_one_by_one(mapping, [a_page(1, [ada])])
    phone = {"phone": "+4930123456"}

    take_abreast(mapping, [a_page(1, [{**ada, **phone}]), a_page(2, [phone])])

    assert Lead.objects.get().phone == "+4930123456"
    assert WorkItem.objects.get(state=State.PARKED).error_class == "duplicate"


def somebody(rng: random.Random, number: int) -> dict[str, str]:
    """Return somebody who shares what they are known by with few or many others."""
    one = {"lastname": f"P{number}", "city": rng.choice(["Lyon", "Bonn", ""])}
    if rng.random() < 0.5:
        one["email"] = f"p{rng.randrange(40)}@customer.example.org"
    if rng.random() < 0.7:
        one["phone"] = f"+49 30 1000{rng.randrange(30):02}"
    if rng.random() < 0.1:
        one["jobtitle"] = "x" * 300
    return one


@needs_transactions
@pytest.mark.parametrize("round_", range(3))
def test_pages_abreast_come_to_what_they_come_to_one_after_the_other(
    workspace: Workspace,
    hubspot: Connection,
    slow: None,
    seed: int,
    round_: int,
) -> None:
    rng = random.Random(seed * 10 + round_)
    mapping = contacts(hubspot)
    pages = [
        a_page(n, [somebody(rng, n * 100 + m) for m in range(20)]) for n in range(1, 6)
    ]
    ours: list[dict[str, object]] = [
        {"last_name": f"H{n}", "phone": f"+493010{n:04}"} for n in range(0, 30, 5)
    ]
    records.create(workspace, "lead", ours, origin=HERE)
    take_one_by_one(mapping, pages)
    expected = outcome()
    start_anew()
    records.create(workspace, "lead", ours, origin=HERE)

    take_abreast(mapping, pages)

    assert outcome() == expected
