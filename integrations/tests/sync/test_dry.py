"""A dry run counts what the real one then does, whatever the two sides hold."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from crmsync.core.models import Workspace
from integrations.models import Connection, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pages
from integrations.sync.seen import MOST, Seen
from integrations.tests.sync.crm import both_ways, sync
from integrations.tests.sync.test_runs import finished, start
from leads.facts import Origin
from leads.models import Company, Lead
from leads.services import records

HERE = Origin("user", "1", "Ada Example")
Counts = dict[str, int]


@pytest.fixture
def leads(salesforce: Connection) -> ObjectMapping:
    """Leads here to leads in Salesforce, when asked, both ways."""
    return _only(salesforce, "Lead")


@pytest.fixture
def contacts(hubspot: Connection) -> ObjectMapping:
    """Leads here to contacts in HubSpot, when asked, both ways."""
    return _only(hubspot, "contacts")


def _only(crm: Connection, remote_object: str) -> ObjectMapping:
    found = ObjectMapping.objects.get(connection=crm, remote_object=remote_object)
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    found.mode, found.active = ObjectMapping.Mode.MANUAL, True
    return both_ways(found)


def foreseen(mapping: ObjectMapping) -> Counts:
    run = finished(start(mapping, Run.Kind.DRY))
    assert "seen" not in run.cursor
    return {name: count for name, count in run.cursor["counts"].items() if count}


def done(mapping: ObjectMapping, kind: str = Run.Kind.RECONCILE) -> Counts:
    """Do it; return what was counted, in the words of a dry run."""
    run = finished(start(mapping, kind))
    sync(1)
    run.refresh_from_db()
    told = {
        "created": run.created,
        "updated": run.updated,
        "created_here": run.created_here,
        "updated_here": run.updated_here,
        "cleared_here": run.cleared_here,
        "skipped": run.excluded,
        "held": run.held + run.failed,
    }
    return {name: count for name, count in told.items() if count}


def without_unchanged(counts: Counts) -> Counts:
    return {name: count for name, count in counts.items() if name != "unchanged"}


def far_apart(dry: Counts, real: Counts) -> int:
    """Return by how much the count that differs most does."""
    counts = without_unchanged(dry)
    return max(abs(counts.get(n, 0) - real.get(n, 0)) for n in {*counts, *real})


def put_in(simulator: RunningSimulator, people: list[dict[str, str]]) -> None:
    simulator.seed([{"object": "Lead", "properties": one} for one in people])


def here(workspace: Workspace, rows: list[dict[str, object]]) -> list[Lead]:
    return records.create(workspace, "lead", rows, origin=HERE)  # type: ignore[return-value]


def test_three_with_one_new_address_are_one_new_record(
    leads: ObjectMapping, salesforce_simulator: RunningSimulator
) -> None:
    same = {"Email": "same@customer.example.org", "Company": "Fern"}
    put_in(salesforce_simulator, [{**same, "LastName": f"P{n}"} for n in range(3)])

    dry = foreseen(leads)
    real = done(leads)

    assert dry["created_here"] == real["created_here"] == 1
    assert without_unchanged(dry) == real


def a_person(rng: random.Random, number: int) -> dict[str, str]:
    """Return somebody in Salesforce, who at times is there twice or half wrong."""
    one = {"LastName": f"P{number}", "Company": "Fern"}
    if rng.random() < 0.9:
        one["Email"] = f"p{rng.randrange(60)}@customer.example.org"
    if rng.random() < 0.3:
        one["Phone"] = f"+49 30 1000{rng.randrange(30):02}"
    if rng.random() < 0.3:
        one["City"] = rng.choice(["Lyon", "Paris"])
    if rng.random() < 0.1:
        one["Title"] = "x" * 120
    if rng.random() < 0.1:
        one["Status"] = rng.choice(["Open - Not Contacted", "Closed - Converted"])
    return one


def one_of_ours(rng: random.Random, number: int) -> dict[str, object]:
    """Return somebody here, of whom half are there as well."""
    one: dict[str, object] = {"last_name": f"H{number}", "company_name": "Fern"}
    if rng.random() < 0.9:
        one["email"] = f"p{number}@customer.example.org"
    if rng.random() < 0.3:
        one["phone"] = f"+493010{rng.randrange(30):04}"
    if rng.random() < 0.3:
        one["city"] = rng.choice(["Lyon", "Bonn"])
    if rng.random() < 0.2:
        one["source"] = "lgm"
    return one


@pytest.mark.parametrize("round_", range(2))
@pytest.mark.parametrize("direction", ["both", "pull", "push"])
def test_a_dry_run_counts_what_the_real_one_does(
    workspace: Workspace,
    leads: ObjectMapping,
    salesforce_simulator: RunningSimulator,
    seed: int,
    round_: int,
    direction: str,
) -> None:
    rng = random.Random(seed * 10 + round_)
    leads.direction, leads.engaged_only = direction, bool(round_)
    leads.save()
    put_in(salesforce_simulator, [a_person(rng, n) for n in range(80)])
    here(workspace, [one_of_ours(rng, n) for n in rng.sample(range(90), 50)])

    dry = foreseen(leads)
    kind = Run.Kind.BACKFILL if direction == "push" else Run.Kind.RECONCILE
    links = Link.objects.count()
    real = done(leads, kind)

    assert links == 0
    assert without_unchanged(dry) == real


@pytest.mark.parametrize("direction", ["both", "pull", "push"])
def test_and_so_it_does_of_hubspot(
    workspace: Workspace,
    contacts: ObjectMapping,
    hubspot_simulator: RunningSimulator,
    seed: int,
    direction: str,
) -> None:
    rng = random.Random(seed)
    contacts.direction = direction
    contacts.save()
    people = {}
    for number in range(80):
        one = {"lastname": f"P{number}", "city": rng.choice(["Lyon", "Paris", ""])}
        if rng.random() < 0.8:
            one["email"] = f"p{number}@customer.example.org"
        if rng.random() < 0.3:
            one["phone"] = f"+49 30 1000{rng.randrange(30):02}"
        people[number] = one
    hubspot_simulator.seed(
        [{"object": "contacts", "properties": one} for one in people.values()]
    )
    here(workspace, [one_of_ours(rng, n) for n in rng.sample(range(120), 60)])

    dry = foreseen(contacts)
    kind = Run.Kind.BACKFILL if direction == "push" else Run.Kind.RECONCILE
    real = done(contacts, kind)

    # Whether HubSpot refuses an address that another contact has shows when it is sent:
    # among so few, three such are more than the hundredth they are among many.
    assert far_apart(dry, real) <= (3 if direction == "both" else 0)


def test_what_earlier_portions_change_is_known_in_later_ones(
    workspace: Workspace,
    contacts: ObjectMapping,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(pages, "ENOUGH", 1)
    contacts.direction = "pull"
    contacts.save()
    rng = random.Random(seed)
    people = [somebody_there(rng, number) for number in range(320)]
    hubspot_simulator.seed(
        [{"object": "contacts", "properties": one} for one in people]
    )
    ours = [one_of_ours(rng, n) for n in rng.sample(range(400), 120)]
    for one in ours:
        one["phone"] = f"+49301000{rng.randrange(90):02}"
    here(workspace, ours)

    dry = foreseen(contacts)
    real = done(contacts)

    assert without_unchanged(dry) == real


def somebody_there(rng: random.Random, number: int) -> dict[str, str]:
    """Return a contact who may be known by a phone alone, at times half wrong."""
    one = {"lastname": f"P{number}", "city": rng.choice(["Lyon", "Paris", ""])}
    if rng.random() < 0.7:
        one["email"] = f"p{number}@customer.example.org"
    if rng.random() < 0.4:
        one["phone"] = f"+49 30 1000{rng.randrange(60):02}"
    if rng.random() < 0.2:
        one["jobtitle"] = "x" * 300
    return one


def test_whose_phone_an_earlier_portion_changes_is_not_found_by_the_old_one(
    workspace: Workspace,
    contacts: ObjectMapping,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "ENOUGH", 1)
    contacts.direction = "pull"
    contacts.save()
    old, new = "+493020000001", "+493020000002"
    address = "ada@customer.example.org"
    here(workspace, [{"last_name": "Ada", "email": address, "phone": old}])
    ada = {"email": address, "phone": new, "lastname": "Ada"}
    others = [{"lastname": f"P{n}"} for n in range(120)]
    strangers = [{"lastname": f"S{n}", "phone": n} for n in (old, new)]
    people = [ada, *others, *strangers]
    hubspot_simulator.seed(
        [{"object": "contacts", "properties": one} for one in people]
    )

    dry = foreseen(contacts)
    real = done(contacts)

    assert without_unchanged(dry) == real
    assert (real["created_here"], real["held"]) == (121, 1)


def test_who_is_known_by_a_phone_alone_is_found_from_the_next_portion_on(
    contacts: ObjectMapping,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "ENOUGH", 1)
    contacts.direction = "pull"
    contacts.save()
    phones = [f"+49 30 2000{n % 70:02}" for n in range(140)]
    hubspot_simulator.seed(
        [
            {"object": "contacts", "properties": {"phone": one, "firstname": "Ada"}}
            for one in phones
        ]
    )

    dry = foreseen(contacts)
    real = done(contacts)

    assert dry == {"created_here": 70, "held": 70}
    assert without_unchanged(dry) == real


def test_companies_of_one_name_are_one_company(
    workspace: Workspace, salesforce: Connection, salesforce_simulator: RunningSimulator
) -> None:
    mapping = _only(salesforce, "Account")
    rng = random.Random(7)
    accounts = []
    for _ in range(40):
        one = {"Name": f"Fern {rng.randrange(12)}"}
        if rng.random() < 0.5:
            one["Website"] = f"https://fern{rng.randrange(12)}.example.org"
        accounts.append({"object": "Account", "properties": one})
    salesforce_simulator.seed(accounts)
    mapping.direction = "pull"
    mapping.save()

    dry = foreseen(mapping)
    real = done(mapping)

    assert Company.objects.count() == real["created_here"]
    assert without_unchanged(dry) == real


def test_what_was_seen_takes_the_same_memory_for_any_number() -> None:
    some = Seen.for_keys(20_000)
    some.add(f"key {n}" for n in range(20_000))

    wrong = Counter(f"other {n}" in some for n in range(20_000))

    assert all(f"key {n}" in some for n in range(20_000))
    assert wrong[True] < 200
    assert len(Seen.for_keys(10**9)._bits) == MOST
    assert "other 1" not in Seen.loaded(Seen.for_keys(10).dumped())
