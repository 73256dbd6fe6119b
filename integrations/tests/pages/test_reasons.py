"""“Why isn't this record synced?” has one answer, the one that must go first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import Channel, Workspace
from integrations import standing
from integrations.models import ObjectMapping
from integrations.reasons import Facts, judge
from integrations.sync.outbox import WHEN_ASKED
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
    make_parked_item,
    make_sync_entry,
    make_work_item,
)
from leads.testing import make_lead

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NEW = Facts("HubSpot", NOW)
ASKED = ("Ask me",)
LINKED = replace(NEW, link="linked", item="done")
READY = replace(LINKED, item="ready", not_before=NOW)
PARKED = replace(LINKED, item="parked", failed=True, error="Not an e-mail address")

# (what is so, code, a word of the reason, where it is mended)
REASONS: list[tuple[Facts, str, str, str]] = [
    (replace(NEW, connection="disconnected"), "disconnected", "disc", "connection"),
    (replace(READY, connection="needs_reauth"), "sign_in", "recon", "connection"),
    (replace(LINKED, link="deleted"), "deleted", "not made again", ""),
    (
        replace(LINKED, link="deleted", deletes="propagate", gone_at=NOW),
        "quarantined",
        "Unless it is restored",
        "",
    ),
    (replace(LINKED, link="missing"), "missing", "last comparison", ""),
    (replace(LINKED, link="forbidden"), "hidden", "no longer shows it to us", ""),
    (replace(LINKED, link="unlinked"), "unlinked", "by hand", ""),
    (replace(LINKED, conflicts=ASKED), "conflict", "changed on both sides", "conflict"),
    (replace(LINKED, conflicts=("A and B keep",)), "conflict", "A and B", "conflict"),
    (replace(PARKED, error_class="rejected"), "rejected", "e-mail", "failure"),
    (replace(PARKED, error_class="held"), "held", "e-mail", "failure"),
    (replace(PARKED, error_class="braked"), "braked", "e-mail", "run"),
    (replace(PARKED, error_class="duplicate"), "duplicate", "e-mail", "failure"),
    (
        replace(LINKED, item="waiting", error="Waiting for Acme to be sent first."),
        "parent",
        "Acme",
        "",
    ),
    (replace(LINKED, item="waiting", held_by_run=7), "paused", "run 7", "run"),
    (replace(READY, blocked="Reconnect HubSpot"), "blocked", "Reconn", "connection"),
    (replace(READY, breaker="open", breaker_until=LATER), "breaker", "failed", ""),
    (replace(READY, breaker="half"), "breaker", "one call at a time", ""),
    (replace(READY, paused_until=LATER), "rate_limited", "slow down", ""),
    (replace(READY, batch_paused_until=LATER, urgent=False), "budget", "urgent", ""),
    (replace(READY, mode="batch", not_before=WHEN_ASKED), "batch", "next batch", ""),
    (
        replace(READY, mode="manual", not_before=WHEN_ASKED),
        "manual",
        "when asked",
        "mapping",
    ),
    (replace(READY, failed=True, error="503"), "retrying", "503", "failure"),
    (
        replace(LINKED, incoming="held", incoming_error="says nothing"),
        "held",
        "say",
        "",
    ),
    (replace(LINKED, incoming="ambiguous"), "not_taken", "taken in", ""),
    (replace(NEW, excluded="Nobody has spoken with"), "excluded", "spoken", "mapping"),
    (replace(NEW, direction="pull"), "only_pulled", "only takes in", "mapping"),
    (
        replace(NEW, creates=False, match="E-mail", findable=False),
        "no_match",
        "no E-mail",
        "mapping",
    ),
    (replace(NEW, creates=False), "no_match", "neither looks", "mapping"),
    (replace(NEW, creates=False, match="E-mail"), "not_found", "E-mail", "mapping"),
    (NEW, "never_asked", "asked for", ""),
]


@pytest.mark.parametrize(("facts", "code", "word", "fix"), REASONS)
def test_every_reason_has_its_words_and_its_way_out(
    facts: Facts, code: str, word: str, fix: str
) -> None:
    verdict = judge(facts)

    assert (verdict.code, verdict.fix) == (code, fix)
    assert word in verdict.reason


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (LINKED, "in_step"),
        (READY, "sending"),
        (replace(LINKED, item="leased", breaker="open"), "sending"),
        (replace(READY, paused_until=NOW - timedelta(hours=1)), "sending"),
        (replace(READY, batch_paused_until=LATER), "sending"),
        (replace(LINKED, breaker="open", paused_until=LATER), "in_step"),
    ],
)
def test_what_is_in_order_is_not_explained(facts: Facts, code: str) -> None:
    assert judge(facts).code == code
    assert judge(facts).reason == ""


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        (replace(PARKED, connection="needs_reauth"), "sign_in"),
        (
            replace(PARKED, error_class="rejected", conflicts=ASKED * 2),
            "rejected",
        ),
        (replace(READY, failed=True, breaker="open"), "breaker"),
        (replace(READY, conflicts=ASKED), "conflict"),
        (replace(LINKED, link="deleted", item="parked"), "deleted"),
    ],
)
def test_the_reason_that_must_go_first_is_told(facts: Facts, first: str) -> None:
    assert judge(facts).code == first


# --- read from the database -----------------------------------------------------------


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


def push(mapping: ObjectMapping, lead_id: int, **given: Any) -> None:
    values: dict[str, Any] = {
        "key": f"{mapping.pk}:{lead_id}",
        "group": str(mapping.pk),
        "channel": mapping.connection.channel,
        **given,
    }
    made = make_parked_item if "message" in given else make_work_item
    made(mapping.workspace, **values)


@pytest.mark.usefixtures("inside")
class TestStored:
    """The same answers, from what is stored."""

    def code_of(self, lead_id: int) -> str:
        (found,) = standing.standings("lead", lead_id)
        return found.verdict.code

    def test_a_filter(self, mapping: ObjectMapping) -> None:
        lead = make_lead(mapping.workspace)
        make_sync_entry(
            mapping.connection,
            record_id=lead.pk,
            mapping=mapping,
            outcome="excluded",
            message="Nobody has spoken with this person yet.",
        )

        assert self.code_of(lead.pk) == "excluded"

    def test_no_email(self, mapping: ObjectMapping) -> None:
        ObjectMapping.objects.update(creates=False)
        lead = make_lead(mapping.workspace, email="")

        assert self.code_of(lead.pk) == "no_match"

    def test_an_open_breaker(self, mapping: ObjectMapping) -> None:
        lead = make_lead(mapping.workspace)
        push(mapping, lead.pk)
        Channel.objects.update(breaker="open")

        assert self.code_of(lead.pk) == "breaker"

    def test_a_paused_run(self, mapping: ObjectMapping) -> None:
        lead = make_lead(mapping.workspace)
        push(mapping, lead.pk, run=7, state="waiting", waits_for="run:7")

        assert self.code_of(lead.pk) == "paused"

    def test_a_disconnected_account_counts_where_the_record_is_linked(
        self, mapping: ObjectMapping
    ) -> None:
        linked, other = make_lead(mapping.workspace), make_lead(mapping.workspace)
        make_link(mapping.connection, record_id=linked.pk)
        mapping.connection.status = "disconnected"
        mapping.connection.save()

        assert self.code_of(linked.pk) == "disconnected"
        assert standing.standings("lead", other.pk) == []

    def test_what_could_not_be_taken_in(self, mapping: ObjectMapping) -> None:
        lead = make_lead(mapping.workspace)
        link = make_link(mapping.connection, record_id=lead.pk)
        make_parked_item(
            mapping.workspace,
            kind="fetch",
            key=f"{mapping.pk}:{link.remote_id}",
            group=str(mapping.pk),
            error_class="held",
        )

        assert self.code_of(lead.pk) == "held"

    def test_the_page_of_the_record_leads_to_its_conflict(
        self, mapping: ObjectMapping, admin: Client
    ) -> None:
        lead = make_lead(mapping.workspace)
        make_conflict(mapping, make_link(mapping.connection, record_id=lead.pk))

        page = admin.get(lead.get_absolute_url()).content.decode()

        assert f"{reverse('conflicts')}?record=lead:{lead.pk}" in page
        assert "changed on both sides" in page
