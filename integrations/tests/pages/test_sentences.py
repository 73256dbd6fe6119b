"""Failures in words, with what the vendor said behind a disclosure."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import Workspace
from crmsync.core.testing import api_client, make_user
from integrations.models import ObjectMapping
from integrations.sentences import plain
from integrations.testing import (
    make_connection,
    make_mapping,
    make_parked_item,
    make_run,
    make_sync_entry,
)
from leads.testing import make_lead

pytestmark = pytest.mark.usefixtures("inside")

SAID = "gsw is not one of the options"
RAW = '[{"isValid":false,"message":"gsw is not one of the options"}]'


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace))


@pytest.mark.parametrize(
    ("text", "sentence", "answer"),
    [
        (SAID, SAID, ""),
        (f"{SAID}\nNot valid: {RAW}", SAID, f"Not valid: {RAW}"),
        (f"Not valid: {RAW}", "Not valid", f"Not valid: {RAW}"),
        (RAW, "It gave no reason in words", RAW),
        ("one of [de, en]", "one of [de, en]", ""),
        ("", "", ""),
    ],
)
def test_a_message_is_parted_from_the_answer(
    text: str, sentence: str, answer: str
) -> None:
    told = plain(text)

    assert (told.sentence, told.answer) == (sentence, answer)


def test_timeline_run_and_error_show_the_sentence_and_fold_the_answer(
    admin: Client, mapping: ObjectMapping
) -> None:
    lead = make_lead(mapping.workspace)
    run = make_run(mapping)
    make_sync_entry(
        mapping.connection,
        record_id=lead.pk,
        mapping=mapping,
        run=run,
        outcome="failed",
        error_class="rejected",
        message=f"{SAID}\nNot valid: {RAW}",
    )
    item = make_parked_item(
        mapping.workspace,
        message=SAID,
        key=f"{mapping.pk}:{lead.pk}",
        group=str(mapping.pk),
        channel=mapping.connection.channel,
    )

    urls = [lead.get_absolute_url(), run.get_absolute_url()]
    pages = [*urls, reverse("issue", args=[item.pk])]

    for url in pages:
        page = admin.get(url).content.decode()
        told = f"HubSpot refused a value of this record: {SAID}. Correct the value"
        assert told in page, url
        assert "What HubSpot said</summary>" in page, url
        assert "isValid" in page.partition("What HubSpot said</summary>")[2], url
        assert "isValid" not in page.partition("What HubSpot said</summary>")[0], url


def test_the_api_tells_them_apart(mapping: ObjectMapping) -> None:
    lead = make_lead(mapping.workspace)
    make_sync_entry(
        mapping.connection, record_id=lead.pk, message=f"{SAID}\nNot valid: {RAW}"
    )

    answer = api_client(mapping.workspace).get("/api/v1/sync/entries/")

    (entry,) = answer.json()["results"]
    assert (entry["message"], entry["answer"]) == (SAID, f"Not valid: {RAW}")


def test_an_owner_whom_the_crm_does_not_know_leads_to_the_owner_map(
    admin: Client, workspace: Workspace
) -> None:
    there = [{"id": "7", "email": "ada@example.com", "name": "Ada", "active": True}]
    connection = make_connection(workspace, owners=there)
    rows = (("email", "email"), ("owner_email", "hubspot_owner_id"))
    mapping = make_mapping(connection, rows=rows)
    known = make_lead(workspace, owner=make_user(workspace, email="ADA@example.com"))
    lost = make_lead(workspace, owner=make_user(workspace, email="bo@example.com"))

    page = admin.get(lost.get_absolute_url()).content.decode()

    assert "bo@example.com is nobody in HubSpot" in page
    assert f"{mapping.get_absolute_url()}#id_rows-1-source" in page
    assert "is nobody in" not in admin.get(known.get_absolute_url()).content.decode()
