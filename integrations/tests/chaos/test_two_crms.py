"""Two CRMs, edited from all sides while all breaks: nothing is lost or doubled."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from integrations.tests.chaos import havoc
from integrations.tests.chaos.town import Town, town
from integrations.tests.sync.trio import ACTORS, FIELDS, Entered, lasts

PEOPLE, REPLIES, BLOWS = 45, 60, 12

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

# (e-mail, field) -> what was entered, in order
Diary = dict[tuple[str, str], list[Entered]]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as made:
        yield made


def keep_editing(
    running: Town, emails: Sequence[str], rng: random.Random, stop: threading.Event
) -> Diary:
    """Edit on all sides until told to stop; return what was entered."""
    diary: Diary = {}
    for number in range(10**6):
        actor, email = rng.choice(ACTORS), rng.choice(emails)
        name, value = rng.choice(list(FIELDS)), f"{actor} {number}"
        running.edit(actor, email, {name: value})
        one = Entered(number, actor, value, fresh=True)
        diary.setdefault((email, name), []).append(one)
        if stop.wait(0.03):
            break
    return diary


def keep_replying(running: Town, rng: random.Random, count: int) -> None:
    """Send replies of new people, some twice, not in their order."""
    numbers = list(range(1, count + 1)) + rng.sample(range(1, count + 1), count // 3)
    rng.shuffle(numbers)
    for number in numbers:
        running.reply(number)
        time.sleep(0.05)


def lost_edits(running: Town, diary: Diary) -> list[str]:
    """Return the fields that have none of the values that an actor left, and why."""
    here = running.truth()["hub"]
    return [
        "\n".join(
            (
                f"{email}, {name}: {here[email][name]}; entered {entered}",
                *running.story_of(email, name),
            )
        )
        for (email, name), entered in diary.items()
        if here[email][name] not in {one.value for one in lasts(entered).values()}
    ]


def test_two_crms_survive_kills_faults_and_edits_on_all_sides(
    running: Town, seed: int, scaled: Callable[[int], int]
) -> None:
    rng = random.Random(seed)
    emails = running.populate(scaled(PEOPLE))
    replies, stop = scaled(REPLIES), threading.Event()

    havoc.begin_faults(running, rng)
    # The killing is done here: a process ends with the thread that started it.
    with ThreadPoolExecutor(2) as pool:
        editing = pool.submit(
            keep_editing, running, emails, random.Random(seed + 1), stop
        )
        replying = pool.submit(keep_replying, running, random.Random(seed + 2), replies)
        try:
            struck = havoc.wreak(running, rng, scaled(BLOWS))
        finally:
            stop.set()
        diary, _ = editing.result(), replying.result()
    fired = havoc.end_faults(running)
    log.info("struck %s; faults %s; fields %s", struck, fired, len(diary))

    running.rest(timeout_s=300)
    missing = running.out_of_step()
    told = running.in_the_error_list()
    assert {email: why for email, why in missing.items() if email not in told} == {}
    running.retry_all()
    running.rest(timeout_s=300)

    assert running.out_of_step() == {}
    assert running.in_the_error_list() == {}
    lost = lost_edits(running, diary)
    assert not lost, "\n".join(lost)
    assert_once_each(running, len(emails) + replies, replies)
    assert running.ledger_difference() == 0


def assert_once_each(running: Town, people: int, replies: int) -> None:
    """Hold that everybody, and everything said, is there once on each side."""
    contacts = running.hubspot.dump("contacts")
    leads = running.salesforce.dump("Lead")
    assert (len(contacts), len(leads)) == (people, people)
    assert running.live.count("leads_lead") == people
    notes = Counter(
        one["properties"]["hs_note_body"].split("<br>")[0]
        for one in running.hubspot.dump("notes")
    )
    assert notes == {f"Reply number {number}": 1 for number in range(1, replies + 1)}
    assert len(running.hubspot.dump("deals")) == replies
