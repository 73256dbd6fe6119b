"""Endpoints of CRMs: made for a connection, and explained in the CRM's own words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from crmsync.core.services import Actor, Refused
from crmsync.core.testing import make_user, make_workspace
from integrations.models import Connection, Endpoint, FieldMapping
from integrations.services.endpoints import create_endpoint
from integrations.testing import make_connection, make_endpoint, make_mapping
from integrations.webhooks.endpoints import look_up
from integrations.webhooks.wanted import subscriptions_of

pytestmark = pytest.mark.django_db

ACTOR = Actor()


@pytest.fixture
def admin(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_user(workspace, Role.ADMIN))
    return client


@pytest.fixture
def hubspot(workspace: Workspace) -> Connection:
    return make_connection(workspace, name="Main HubSpot")


@pytest.fixture
def app_secret(settings: Any) -> str:
    settings.HUBSPOT_CLIENT_ID = "an-app"
    settings.HUBSPOT_CLIENT_SECRET = "secret of the app"
    return "secret of the app"


def known(endpoint: Endpoint) -> Any:
    found = look_up(endpoint.token_digest)
    assert found is not None
    return found


# --- making ---------------------------------------------------------------------------


def test_an_endpoint_of_a_crm_knows_the_account_it_may_speak_of(
    workspace: Workspace, hubspot: Connection
) -> None:
    given = {
        "source": "hubspot",
        "connection_id": hubspot.pk,
        "secrets": ["client secret"],
    }

    endpoint = create_endpoint(workspace, ACTOR, given)

    assert endpoint.connection == hubspot
    assert known(endpoint).account == hubspot.account_id
    assert known(endpoint).secrets == ("client secret",)


def test_the_secret_of_the_app_that_was_let_in_need_not_be_entered(
    workspace: Workspace, app_secret: str
) -> None:
    by_oauth = make_connection(workspace, auth=Connection.Auth.OAUTH)
    given = {"source": "hubspot", "connection_id": by_oauth.pk}

    endpoint = create_endpoint(workspace, ACTOR, given)

    assert endpoint.secrets == ""
    assert known(endpoint).secrets == (app_secret,)


@pytest.mark.usefixtures("app_secret")
def test_a_private_app_does_not_sign_with_the_secret_of_ours(
    workspace: Workspace, hubspot: Connection
) -> None:
    with pytest.raises(Refused) as refusal:
        create_endpoint(
            workspace, ACTOR, {"source": "hubspot", "connection_id": hubspot.pk}
        )

    assert refusal.value.field == "secrets"
    endpoint = make_endpoint(workspace, source="hubspot", connection=hubspot)
    assert known(endpoint).secrets == ()


def test_a_secret_of_the_endpoint_goes_before_that_of_the_app(
    workspace: Workspace, app_secret: str
) -> None:
    by_oauth = make_connection(workspace, auth=Connection.Auth.OAUTH)

    endpoint = make_endpoint(
        workspace, source="hubspot", connection=by_oauth, secrets="another\nold"
    )

    assert known(endpoint).secrets == ("another", "old")


def test_an_app_secret_does_not_guard_a_source_that_signs_nothing(
    workspace: Workspace,
) -> None:
    connection = make_connection(
        workspace, vendor="salesforce", auth=Connection.Auth.OAUTH
    )

    endpoint = make_endpoint(workspace, source="salesforce", connection=connection)

    assert known(endpoint).secrets == ()


@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("hubspot", {"vendor": "salesforce"}),
        ("hubspot", {"status": "disconnected"}),
        ("salesforce", {"vendor": "salesforce", "account_id": ""}),
        ("lgm", {}),
    ],
)
def test_only_a_fitting_connection_is_taken(
    workspace: Workspace, source: str, given: dict[str, str]
) -> None:
    connection = make_connection(workspace, **given)
    values = {"source": source, "connection_id": connection.pk, "secrets": ["x"]}

    with pytest.raises(Refused) as refusal:
        create_endpoint(workspace, ACTOR, values)

    assert refusal.value.field == "connection_id"


@pytest.mark.parametrize("connection_id", [None, "", "x", 10**30, "１"])
def test_an_endpoint_of_a_crm_needs_a_connection(
    workspace: Workspace, connection_id: object
) -> None:
    values = {"source": "salesforce", "connection_id": connection_id}

    with pytest.raises(Refused, match="Choose which Salesforce connection"):
        create_endpoint(workspace, ACTOR, values)


def test_a_connection_of_another_workspace_does_not_exist(workspace: Workspace) -> None:
    other = make_workspace()
    with in_workspace(other):
        theirs = make_connection(other)
    values = {"source": "hubspot", "connection_id": theirs.pk, "secrets": ["x"]}

    with pytest.raises(Refused, match="Choose which"):
        create_endpoint(workspace, ACTOR, values)


# --- what to subscribe to -------------------------------------------------------------


def test_subscriptions_are_named_as_hubspot_names_them(
    workspace: Workspace, hubspot: Connection
) -> None:
    mapping = make_mapping(
        hubspot,
        direction="both",
        rows=(("email", "email"), ("phone", "phone"), ("city", "city")),
    )
    FieldMapping.objects.filter(mapping=mapping, destination="phone").update(
        direction="push"
    )
    make_mapping(hubspot, record_type="deal", remote_object="deals", direction="push")
    endpoint = make_endpoint(workspace, source="hubspot", connection=hubspot)

    assert subscriptions_of(endpoint) == [
        "contact.creation",
        "contact.deletion",
        "contact.merge",
        "contact.restore",
        "contact.associationChange",
        "contact.propertyChange:email",
        "contact.propertyChange:city",
    ]


def test_objects_without_a_name_of_their_own_are_subscribed_by_type(
    workspace: Workspace, hubspot: Connection
) -> None:
    make_mapping(hubspot, remote_object="notes", direction="pull", rows=())
    endpoint = make_endpoint(workspace, source="hubspot", connection=hubspot)

    assert subscriptions_of(endpoint)[0] == "object.creation (0-46)"


def test_salesforce_is_subscribed_by_entity(workspace: Workspace) -> None:
    connection = make_connection(workspace, vendor="salesforce")
    make_mapping(connection, remote_object="Lead", direction="both")
    make_mapping(
        connection, remote_object="Site__c", direction="both", record_type="company"
    )
    endpoint = make_endpoint(workspace, source="salesforce", connection=connection)

    assert subscriptions_of(endpoint) == ["LeadChangeEvent", "Site__ChangeEvent"]


# --- pages ----------------------------------------------------------------------------


def test_the_page_of_a_new_endpoint_offers_the_connections(
    admin: Client, hubspot: Connection
) -> None:
    page = admin.get(reverse("endpoint-new")).content.decode()

    assert f"HubSpot · {hubspot}" in page
    assert "Salesforce" in page


def test_an_endpoint_is_made_for_a_connection_in_the_page(
    admin: Client, hubspot: Connection
) -> None:
    make_mapping(hubspot, direction="both")
    given = {"source": "hubspot", "name": "Changes", "secrets": "client secret"}

    answer = admin.post(
        reverse("endpoint-new"), {**given, "connection_id": hubspot.pk}, follow=True
    )

    page = answer.content.decode()
    endpoint = Endpoint.objects.get()
    assert endpoint.connection == hubspot
    assert endpoint.url in page
    assert "contact.propertyChange:email" in page
    assert "client secret, from its tab Auth" in page.replace("’", "'")
    assert "deal_stage_id" not in answer.context["form"].fields


def test_a_forgotten_connection_is_asked_for_at_its_field(admin: Client) -> None:
    given = {"source": "salesforce", "name": "Changes"}

    answer = admin.post(reverse("endpoint-new"), given)

    assert answer.status_code == 422
    assert "connection_id" in answer.context["form"].errors


@pytest.mark.parametrize("source", ["hubspot", "salesforce", "lgm", "generic"])
def test_every_source_says_what_to_paste_where(
    admin: Client, workspace: Workspace, source: str
) -> None:
    vendor = source if source in {"hubspot", "salesforce"} else "hubspot"
    connection = make_connection(workspace, vendor=vendor)
    mine = connection if vendor == source else None
    endpoint = make_endpoint(workspace, source=source, connection=mine)

    answer = admin.get(reverse("endpoint", args=[endpoint.pk]))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f"integrations/how/{source}.html" in [one.name for one in answer.templates]
    assert (connection.get_absolute_url() in page) is (mine is not None)


def test_salesforce_is_told_the_header_of_its_secret(
    admin: Client, workspace: Workspace
) -> None:
    connection = make_connection(workspace, vendor="salesforce")
    endpoint = make_endpoint(workspace, source="salesforce", connection=connection)

    answer = admin.get(reverse("endpoint", args=[endpoint.pk]))

    assert "X-Crmsync-Secret" in answer.content.decode()
    assert "secrets" in answer.context["form"].fields


def test_the_list_names_the_connection(admin: Client, hubspot: Connection) -> None:
    make_endpoint(hubspot.workspace, source="hubspot", connection=hubspot)

    assert "Main HubSpot" in admin.get(reverse("endpoints")).content.decode()


def test_the_api_makes_an_endpoint_for_a_connection(
    admin: Client, hubspot: Connection
) -> None:
    body = {"source": "hubspot", "connection_id": hubspot.pk, "secrets": ["x"]}

    made = admin.post(
        "/api/v1/endpoints/", body, content_type="application/json"
    ).json()
    refused = admin.post(
        "/api/v1/endpoints/", {"source": "hubspot"}, content_type="application/json"
    )

    assert made["connection_id"] == hubspot.pk
    assert refused.status_code == 400
