"""People, keys and the audit trail of a workspace: every write, each with its entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from crmsync.core.models import ApiKey, AuditEntry, Membership, User, Workspace
from crmsync.core.roles import Role

# `crm_` and the eight characters a key is recognised by in lists.
PREFIX_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person, or a program by its key."""

    user: User | None = None
    api_key: ApiKey | None = None


class Refused(Exception):
    """Nothing was changed; `field` is what must be corrected, `message` why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def audit(
    workspace: Workspace,
    actor: Actor,
    action: str,
    *,
    target: object = "",
    details: Mapping[str, object] | None = None,
) -> None:
    """Write an entry of the audit trail, in the caller's transaction.

    details: JSON values; never a secret.
    """
    AuditEntry.objects.create(
        workspace=workspace,
        user=actor.user,
        api_key=actor.api_key,
        action=action[:60],
        target=str(target)[:200],
        details=dict(details or {}),
    )


# --- keys -----------------------------------------------------------------------------


@transaction.atomic
def create_api_key(
    workspace: Workspace,
    actor: Actor,
    *,
    name: str,
    role: str,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key; return it and its text, which cannot be shown again."""
    if not name.strip():
        raise Refused("name", "Give the key a name to know it by.")
    if role not in Role.values:
        raise Refused("role", "There is no such role.")
    if expires_at is not None and expires_at <= timezone.now():
        raise Refused("expires_at", "This is over already.")
    text = ApiKey.new_key()
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name.strip()[:100],
        role=role,
        prefix=text[:PREFIX_LENGTH],
        digest=ApiKey.digest_of(text),
        created_by=actor.user,
        expires_at=expires_at,
    )
    audit(workspace, actor, "api_key.created", target=key, details={"role": role})
    return key, text


@transaction.atomic
def revoke_api_key(key: ApiKey, actor: Actor) -> None:
    """Make a key useless at once and for good; doing it twice is harmless."""
    if key.revoked_at is not None:
        return
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    audit(key.workspace, actor, "api_key.revoked", target=key)


# --- people ---------------------------------------------------------------------------


@transaction.atomic
def add_member(
    workspace: Workspace, actor: Actor, *, email: str, role: str, name: str = ""
) -> Membership:
    """Give a person a role; a new one sets a password by the reset letter."""
    if role not in Role.values:
        raise Refused("role", "There is no such role.")
    user = _person(email.strip().lower(), name)
    if Membership.objects.filter(workspace=workspace, user=user).exists():
        raise Refused("email", f"{user.email} is a member already.")
    member = Membership.objects.create(workspace=workspace, user=user, role=role)
    audit(workspace, actor, "member.added", target=user.email, details={"role": role})
    return member


def _person(email: str, name: str) -> User:
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refused("email", "This is not an e-mail address.") from error
    found = User.objects.filter(email=email).first()
    if found is not None:
        return found
    first, _, last = name.strip().partition(" ")
    return User.objects.create_user(email, first_name=first[:150], last_name=last[:150])


@transaction.atomic
def change_role(member: Membership, actor: Actor, role: str) -> Membership:
    """Give a member another role. Raises Refused for the last admin."""
    if role not in Role.values:
        raise Refused("role", "There is no such role.")
    if role == member.role:
        return member
    _keep_an_admin(member, "role")
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    audit(
        member.workspace,
        actor,
        "member.role_changed",
        target=member.user.email,
        details={"role": [before, role]},
    )
    return member


@transaction.atomic
def remove_member(member: Membership, actor: Actor) -> None:
    """Take a person out of the workspace. Raises Refused for the last admin."""
    _keep_an_admin(member, "non_field_errors")
    audit(member.workspace, actor, "member.removed", target=member.user.email)
    member.delete()


def _keep_an_admin(member: Membership, field: str) -> None:
    if member.role != Role.ADMIN:
        return
    admins = Membership.objects.filter(workspace=member.workspace, role=Role.ADMIN)
    locked = list(admins.select_for_update().values_list("pk", flat=True))
    if locked == [member.pk]:
        raise Refused(field, "A workspace needs an admin; make someone else one first.")
