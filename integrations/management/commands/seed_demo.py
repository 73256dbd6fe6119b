"""Makes the demo workspace: people to sign in as, a month of history, some trouble."""

from __future__ import annotations

import os
import random
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from crmsync.core.models import Membership, User, Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from crmsync.core.services import Actor
from integrations.demo import conversations, crm, inbox, people, selling
from integrations.models import Connection, Endpoint
from integrations.services import ConnectionRefused
from integrations.services.endpoints import create_endpoint
from leads.models import Lead
from leads.services.workspace import ensure_workspace_defaults

NAME, SLUG = "Fernhill Robotics (demo)", "demo"
LEADS = 300
SEED = 2026
ENDPOINT = "La Growth Machine"
DEFAULT_PASSWORD = "crmsync-demo"
PEOPLE = (
    ("admin@example.com", "Alma", "Adminsson", Role.ADMIN),
    ("ops@example.com", "Otto", "Opsgaard", Role.SALES_OPS),
    ("rep@example.com", "Rhea", "Reppold", Role.REP),
)


class Command(BaseCommand):
    """Safe to run again: what is there stays as people have changed it."""

    help = "Make the demo workspace, or what is missing of it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, saying what was done."""
        workspace, _ = Workspace.objects.get_or_create(
            slug=SLUG,
            defaults={
                "name": NAME,
                "time_zone": "Europe/Berlin",
                "phone_region": "DE",
            },
        )
        team = [_person(workspace, *one) for one in PEOPLE]
        with in_workspace(workspace):
            ensure_workspace_defaults(workspace)
            endpoint = _endpoint(workspace)
            self._history(workspace, endpoint, team)
            self._crm(workspace)

    def _history(
        self, workspace: Workspace, endpoint: Endpoint, team: list[User]
    ) -> None:
        if Lead.objects.exists():
            self.stdout.write("The workspace has leads already; history is left alone.")
            return
        now, rng = timezone.now(), random.Random(SEED)
        crowd = people.invented(LEADS, rng)
        posted = conversations.history(crowd, now=now, rng=rng)
        inbox.receive(endpoint, [*posted, *conversations.broken(now)])
        inbox.put_times_right(endpoint)
        selling.sell(workspace, team, now=now, rng=rng)
        selling.settle_times()
        self.stdout.write(f"{len(crowd)} leads with {len(posted)} messages.")

    def _crm(self, workspace: Workspace) -> None:
        gone = Connection.Status.DISCONNECTED
        if Connection.objects.exclude(status=gone).exists():
            self.stdout.write("A CRM is connected already.")
            return
        try:
            crm.reachable()
            connection = crm.connect(workspace)
        except (crm.NotReachable, ConnectionRefused) as error:
            self.stdout.write(f"No CRM connected: {error}.")
            return
        if connection.status != Connection.Status.ACTIVE:
            self.stdout.write("HubSpot is connected; workers will set it up.")
            return
        crm.make_trouble(workspace, connection)
        crm.send_everything(workspace, connection)
        self.stdout.write("HubSpot is connected and has been sent the replies.")


@transaction.atomic
def _person(
    workspace: Workspace, email: str, first: str, last: str, role: Role
) -> User:
    """Return a person of the demo, made with the demo's password when new."""
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(
            email,
            os.environ.get("DEMO_PASSWORD") or DEFAULT_PASSWORD,
            first_name=first,
            last_name=last,
            is_staff=role == Role.ADMIN,
        )
    with in_workspace(workspace):
        Membership.objects.get_or_create(
            workspace=workspace, user=user, defaults={"role": role}
        )
    return user


def _endpoint(workspace: Workspace) -> Endpoint:
    found = Endpoint.objects.filter(source="lgm").first()
    return found or create_endpoint(
        workspace, Actor(), {"source": "lgm", "name": ENDPOINT}
    )
