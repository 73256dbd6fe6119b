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
from integrations.demo import (
    conversations,
    crm,
    hints,
    inbox,
    people,
    selling,
    two_crms,
)
from integrations.demo.people import Person
from integrations.demo.simulated import NotReachable
from integrations.models import Connection, Endpoint
from integrations.services import ConnectionRefused
from integrations.services.endpoints import create_endpoint
from leads.models import Lead
from leads.services.workspace import ensure_workspace_defaults

NAME, SLUG = "Fernhill Robotics (demo)", "demo"
LEADS = 300
# So many more are known to one of the CRMs alone.
STRANGERS = 14
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
            rng = random.Random(SEED)
            crowd = people.invented(LEADS + STRANGERS, rng)
            if Lead.objects.exists():
                self.stdout.write("There are leads already; history is left alone.")
            else:
                self._history(workspace, endpoint, team, crowd[:LEADS], rng=rng)
            self._crms(workspace, team, crowd[LEADS:])

    def _history(
        self,
        workspace: Workspace,
        endpoint: Endpoint,
        team: list[User],
        crowd: list[Person],
        *,
        rng: random.Random,
    ) -> None:
        now = timezone.now()
        posted = conversations.history(crowd, now=now, rng=rng)
        inbox.receive(endpoint, [*posted, *conversations.broken(now)])
        inbox.put_times_right(endpoint)
        selling.sell(workspace, team, now=now, rng=rng)
        selling.settle_times()
        self.stdout.write(f"{len(crowd)} leads with {len(posted)} messages.")

    def _crms(
        self, workspace: Workspace, team: list[User], strangers: list[Person]
    ) -> None:
        try:
            known = connected()
            if not known:
                known = self._connect(workspace, team, strangers)
            hints.listen(workspace, known)
        except (NotReachable, ConnectionRefused) as error:
            self.stdout.write(f"CRMs are not connected: {error}.")

    def _connect(
        self, workspace: Workspace, team: list[User], strangers: list[Person]
    ) -> dict[str, Connection]:
        crms = crm.connect(workspace)
        if all(one.is_ready for one in crms.values()):
            two_crms.tell(workspace, crms, team, strangers, now=timezone.now())
            self.stdout.write("HubSpot and Salesforce are connected, and in step.")
        else:
            self.stdout.write("The CRMs are connected; workers will set them up.")
        return connected()


def connected() -> dict[str, Connection]:
    """Return the connections of the workspace by vendor."""
    gone = Connection.Status.DISCONNECTED
    return {one.vendor: one for one in Connection.objects.exclude(status=gone)}


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
