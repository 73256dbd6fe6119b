"""Makes a workspace and its first admin: where a new installation begins."""

from __future__ import annotations

from argparse import ArgumentParser

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.text import slugify

from crmsync.core.models import Membership, User, Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from leads.services.workspace import ensure_workspace_defaults


class Command(BaseCommand):
    """`manage.py create_workspace "Our team" --admin you@example.com`."""

    help = "Make a workspace and an admin, and print the link to choose a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name and the admin's address."""
        parser.add_argument("name")
        parser.add_argument("--admin", required=True, help="e-mail of the first admin")

    def handle(self, *args: object, **options: str) -> None:
        """Store all or nothing; refuse a name that is taken."""
        name, email = options["name"].strip(), options["admin"].strip().lower()
        slug = slugify(name)
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is not an e-mail address.") from error
        if not slug:
            raise CommandError("Give the workspace a name with letters in it.")
        if Workspace.objects.filter(slug=slug).exists():
            raise CommandError(f"There is a workspace {slug!r} already.")
        user, is_new = _create(name, slug, email)
        self.stdout.write(f"Workspace {name!r} is there, and {email} is its admin.")
        if is_new:
            self.stdout.write(f"Choose a password: {password_link(user)}")


@transaction.atomic
def _create(name: str, slug: str, email: str) -> tuple[User, bool]:
    workspace = Workspace.objects.create(name=name, slug=slug)
    user = User.objects.filter(email=email).first()
    is_new = user is None
    user = user or User.objects.create_user(email)
    with in_workspace(workspace):
        Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN)
    ensure_workspace_defaults(workspace)
    return user, is_new


def password_link(user: User) -> str:
    """Return the address under which the person chooses a password, once."""
    path = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    )
    return f"{settings.PUBLIC_URL}{path}"
