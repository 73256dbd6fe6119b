"""Pages of deliveries, endpoints, connections and the first page."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.roles import Role
from integrations.models import Connection, Delivery, Endpoint
from integrations.services import connect
from integrations.testing import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_mapping,
    make_parked_item,
)
from integrations.tests.pages.conftest import SignIn
from integrations.webhooks import inbox
from leads.models import Lead
from leads.testing import make_activity, make_lead

pytestmark = pytest.mark.usefixtures("inside")

# --- home -----------------------------------------------------------------------------


def test_a_new_workspace_is_led_to_its_first_connection(admin: Client) -> None:
    answer = admin.get(reverse("home"))

    assert answer.context["next_step"].title == "Connect HubSpot"
    assert [step.done for step in answer.context["steps"]] == [False, False, False]


def test_the_way_in_ends_with_the_first_reply(
    admin: Client, workspace: Workspace
) -> None:
    make_connection(workspace)
    make_delivery(make_endpoint(workspace))
    lead = make_lead(workspace)
    make_activity(workspace, kind="message", direction="inbound", lead=lead)

    answer = admin.get(reverse("home"))

    assert "steps" not in answer.context
    assert str(lead) in answer.content.decode()


def test_what_is_stuck_stands_on_the_first_page(
    admin: Client, workspace: Workspace
) -> None:
    mapping = make_mapping(make_connection(workspace))
    make_parked_item(
        workspace,
        group=str(mapping.pk),
        key=f"{mapping.pk}:1",
        channel=mapping.connection.channel,
        error_class="permission",
    )

    page = admin.get(reverse("home")).content.decode()

    assert "1 record is stuck" in page
    assert mapping.connection.get_absolute_url() in page


# --- deliveries -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00\x01",
        b'{"a": "\\u0000\\ud800", "n": 1e400}',
        b"[" * 100_000,
        b"<script>alert(1)</script>",
        b"{" + b'"a":' * 1000,
    ],
)
def test_a_hostile_body_is_shown_as_harmless_text(
    body: bytes, admin: Client, workspace: Workspace
) -> None:
    delivery = make_delivery(make_endpoint(workspace), body=body, state="rejected")

    answer = admin.get(delivery.get_absolute_url())

    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert b"\x00" not in answer.content


def test_a_delivery_leads_to_the_records_it_became(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace)
    delivery = make_delivery(make_endpoint(workspace))
    make_event(delivery, lead_id=lead.pk)

    page = admin.get(delivery.get_absolute_url()).content.decode()

    assert lead.get_absolute_url() in page


@pytest.mark.parametrize(
    ("role", "shown"), [(Role.ADMIN, True), (Role.SALES_OPS, False)]
)
def test_a_traceback_is_for_admins(
    role: Role, shown: bool, sign_in: SignIn, workspace: Workspace
) -> None:
    delivery = make_delivery(
        make_endpoint(workspace), state="failed", traceback="KeyError: secret place"
    )

    page = sign_in(role).get(delivery.get_absolute_url()).content.decode()

    assert ("secret place" in page) is shown


def test_deliveries_are_filtered_by_state(admin: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)
    make_delivery(endpoint)
    failed = make_delivery(endpoint, state="failed")

    answer = admin.get(reverse("deliveries"), {"state": "failed", "endpoint": "x"})

    assert list(answer.context["page"].items) == [failed]


def test_a_delivery_is_processed_again(admin: Client, workspace: Workspace) -> None:
    delivery = make_delivery(make_endpoint(workspace), state="failed")

    admin.post(reverse("delivery-replay", args=[delivery.pk]))

    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.RECEIVED
    assert WorkItem.objects.filter(kind="process", key=str(delivery.pk)).exists()


# --- endpoints ------------------------------------------------------------------------


def test_a_new_endpoint_shows_its_address(admin: Client) -> None:
    answer = admin.post(
        reverse("endpoint-new"), {"source": "lgm", "name": "Replies"}, follow=True
    )

    endpoint = Endpoint.objects.get()
    assert endpoint.url in answer.content.decode()


def test_wrong_input_for_an_endpoint_is_kept(admin: Client) -> None:
    given = {"source": "generic", "name": "Signed form"}

    answer = admin.post(reverse("endpoint-new"), given)

    assert answer.status_code == 422
    assert "secrets" in answer.context["form"].errors
    assert 'value="Signed form"' in answer.content.decode()


def test_rotating_closes_the_old_address(admin: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)
    old = endpoint.url

    admin.post(reverse("endpoint-rotate", args=[endpoint.pk]))

    endpoint.refresh_from_db()
    assert endpoint.url != old
    assert endpoint.token_digest == Endpoint.digest_of(endpoint.token)


def test_an_endpoint_is_switched_off(admin: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)

    admin.post(reverse("endpoint-switch", args=[endpoint.pk]), {"active": "no"})

    endpoint.refresh_from_db()
    assert not endpoint.active


def test_a_sample_reply_becomes_a_lead_each_time(
    admin: Client, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    path = reverse("endpoint-sample", args=[endpoint.pk])

    for _ in range(2):
        admin.post(path)
    inbox.process_due()

    assert Lead.objects.count() == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"processed"}


# --- connections ----------------------------------------------------------------------


def test_a_refused_token_is_named_at_its_field_and_not_shown(
    admin: Client, settings: object
) -> None:
    # Port 9 of this machine: nothing listens, so the vendor cannot be asked.
    settings.HUBSPOT_API_URL = "http://127.0.0.1:9"  # type: ignore[attr-defined]
    given = {"name": "Main account", "token": "pat-secret-canary"}

    answer = admin.post(reverse("connection-new", args=["hubspot"]), given)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "token" in answer.context["form"].errors
    assert 'value="Main account"' in page
    assert "pat-secret-canary" not in page
    assert not Connection.objects.exists()


@pytest.mark.parametrize(("client_id", "offered"), [("an-app", True), ("", False)])
def test_oauth_is_offered_where_it_is_set_up(
    client_id: str, offered: bool, admin: Client, settings: object
) -> None:
    settings.HUBSPOT_CLIENT_ID = client_id  # type: ignore[attr-defined]

    page = admin.get(reverse("connection-new", args=["hubspot"])).content.decode()

    assert (reverse("oauth-start", args=["hubspot"]) in page) is offered


def test_an_unknown_vendor_does_not_exist(admin: Client) -> None:
    assert admin.get("/connections/nonesuch/new/").status_code == 404


def test_disconnecting_forgets_the_token(admin: Client, workspace: Workspace) -> None:
    connection = make_connection(workspace)

    admin.post(reverse("connection-close", args=[connection.pk]))

    connection.refresh_from_db()
    assert connection.status == Connection.Status.DISCONNECTED
    assert not hasattr(connection, "token")


def test_set_up_is_watched_until_it_is_over(
    admin: Client, workspace: Workspace
) -> None:
    connection = make_connection(workspace, status="setting_up")
    connect.queue_setup(connection)
    path = reverse("connection-setup", args=[connection.pk])

    during = admin.get(path)
    Connection.objects.update(status="active")
    after = admin.get(path)

    assert "Setting up" in during.content.decode()
    assert after["HX-Refresh"] == "true"


def test_no_page_shows_a_token(admin: Client, workspace: Workspace) -> None:
    connection = make_connection(workspace)
    secret = connection.token.access

    for path in (reverse("connections"), connection.get_absolute_url()):
        assert secret not in admin.get(path).content.decode()
