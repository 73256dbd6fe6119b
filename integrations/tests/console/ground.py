"""One row of every model the console shows, full of canaries, and a browser in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import AuditEntry, Membership, User, Workspace
from crmsync.core.testing import make_api_key, make_user
from integrations.models import (
    ApiCall,
    Cursor,
    KeptApart,
    LinkAlias,
    OAuthState,
    OAuthToken,
    RemoteSchema,
)
from integrations.testing import (
    make_conflict,
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_link,
    make_mapping,
    make_parked_item,
    make_run,
    make_sync_entry,
    make_told_value,
)
from integrations.testing_forms import make_form_source, make_held_submission
from leads.models import (
    CampaignMember,
    Change,
    Conversation,
    LeadKey,
    Merge,
    Pipeline,
    ScoreEntry,
    ScoreRule,
    Stage,
    StageChange,
    Tombstone,
)
from leads.testing import (
    make_activity,
    make_campaign,
    make_company,
    make_custom_field,
    make_deal,
    make_lead,
    make_ready_workspace,
)

CANARY = "canary-5e1f"


@scopes_disabled()
def make_one_of_each(workspace: Workspace) -> dict[type[Model], Model]:
    """Store one row of every model in the workspace; return model -> row."""
    rows = [workspace, *_people(workspace), *_records(workspace), *_syncs(workspace)]
    return {type(row): row for row in rows}


def make_full_workspace() -> tuple[Workspace, dict[type[Model], Model]]:
    """Store a workspace with one row of every model."""
    workspace = make_ready_workspace()
    return workspace, make_one_of_each(workspace)


def _people(workspace: Workspace) -> list[Model]:
    user = make_user(workspace, "rep")
    User.objects.filter(pk=user.pk).update(password=f"{CANARY}-password")
    key, _ = make_api_key(workspace)
    key.digest = f"{CANARY}-digest-{key.pk}"
    key.save()
    audit = AuditEntry.objects.create(
        workspace=workspace, user=user, action="api_key.created", target="x"
    )
    return [user, Membership.objects.get(user=user), key, audit]


def _records(workspace: Workspace) -> list[Model]:
    company, campaign = make_company(workspace), make_campaign(workspace)
    lead = make_lead(workspace, company=company)
    stage, other = Stage.objects.filter(workspace=workspace)[:2]
    deal = make_deal(workspace, lead=lead, stage=stage)
    rule = ScoreRule.objects.filter(workspace=workspace).first()
    assert rule is not None
    mine = {"workspace": workspace}
    return [
        *(company, campaign, lead, stage, deal, rule),
        Pipeline.objects.get(workspace=workspace),
        LeadKey.objects.get(lead=lead),
        make_activity(workspace, lead=lead),
        make_custom_field(workspace),
        CampaignMember.objects.create(campaign=campaign, lead=lead, **mine),
        Conversation.objects.create(
            lead=lead, source="lgm", external_id=f"t{lead.pk}", **mine
        ),
        Change.objects.create(
            record_type="lead",
            record_id=lead.pk,
            action="created",
            fields={"city": ["", "Lyon"]},
            origin_kind="webhook",
            **mine,
        ),
        Tombstone.objects.create(
            record_type="lead", record_id=1, keys=[CANARY], origin_kind="user", **mine
        ),
        Merge.objects.create(
            record_type="lead",
            winner_id=lead.pk,
            loser_id=1,
            kept={"loser": {"email": f"{CANARY}@example.com"}},
            origin_kind="user",
            **mine,
        ),
        StageChange.objects.create(
            deal=deal, from_stage=stage, to_stage=other, origin="test", **mine
        ),
        ScoreEntry.objects.create(
            lead=lead, rule=rule, points=5, reason="Reply", **mine
        ),
    ]


def _syncs(workspace: Workspace) -> list[Model]:
    connection = make_connection(workspace)
    token = OAuthToken.objects.get(connection=connection)
    token.access, token.refresh = f"{CANARY}-access", f"{CANARY}-refresh"
    token.save()
    mapping = make_mapping(connection)
    endpoint = make_endpoint(
        workspace, token=f"{CANARY}-token-{workspace.pk}", secrets=f"{CANARY}-signing"
    )
    delivery = make_delivery(endpoint, state="failed", traceback="Traceback: boom")
    item = make_parked_item(workspace)
    link = make_link(connection, record_id=1)
    mine = {"workspace": workspace, "connection": connection}
    assert connection.channel is not None
    return [
        *(connection, connection.channel, token, mapping, endpoint, delivery, item),
        mapping.rows.get(),
        make_event(delivery),
        link,
        LinkAlias.objects.create(
            link=link, remote_object="contacts", remote_id="77", reason="merged", **mine
        ),
        form := make_form_source(connection),
        make_held_submission(form),
        KeptApart.objects.create(
            record_type="lead",
            record_id=1,
            remote_object="contacts",
            remote_id="78",
            **mine,
        ),
        make_run(mapping),
        make_conflict(mapping, link),
        Cursor.objects.create(mapping=mapping),
        make_told_value(connection, value=f"{CANARY}-told"),
        make_sync_entry(connection, record_id=1),
        RemoteSchema.objects.create(connection=connection, object_type="contacts"),
        ApiCall.objects.create(
            connection=connection, method="GET", path="/", outcome="ok", duration_ms=1
        ),
        _sign_in(workspace),
    ]


def _sign_in(workspace: Workspace) -> OAuthState:
    return OAuthState.objects.create(
        workspace=workspace,
        user=make_user(workspace),
        vendor="hubspot",
        digest=f"{CANARY}-state-{workspace.pk}",
        session_key=f"{CANARY}-session",
        code_verifier=f"{CANARY}-verifier",
        redirect_uri="https://crm.example.com/",
        expires_at=timezone.now() + timedelta(minutes=10),
    )


# --- a browser in the console ---------------------------------------------------------


def page(model: type[Model], name: str = "changelist", *args: int) -> str:
    """Return the address of a model's list, or of another of its pages."""
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{name}", args=args)


def client_of(user: User) -> Client:
    """Return the browser of somebody who is signed in."""
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, model: type[Model], name: str, *rows: Model) -> Any:
    """Do something with rows of a list; return the page that follows."""
    data = {"action": name, "_selected_action": [row.pk for row in rows]}
    return client.post(page(model), data, follow=True)


def told(answer: Any) -> str:
    """Return what an answer tells about what was done."""
    return " ".join(str(one) for one in answer.context["messages"])


def refresh(row: Model) -> None:
    """Read a row again, of whatever workspace."""
    with scopes_disabled():
        row.refresh_from_db()
