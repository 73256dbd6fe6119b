"""What people, keys and the audit trail look like in the API."""

from __future__ import annotations

from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from crmsync.core.models import ApiKey, AuditEntry, Membership
from crmsync.core.roles import Role


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key, without what makes it work."""

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = (
            "id",
            "name",
            "role",
            "prefix",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        )
        read_only_fields = fields


class NewApiKeySerializer(ApiKeySerializer):
    """A key just made; `key` is never shown again."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")
        read_only_fields = fields


class ApiKeyBody(StrictSerializer):
    """What a new key is made from."""

    name = serializers.CharField(max_length=100)
    role = serializers.ChoiceField(choices=Role.choices)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A person in the workspace; `user_id` is what owner fields take."""

    email = serializers.EmailField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.get_full_name", read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "user_id", "email", "name", "role", "created_at")
        read_only_fields = fields


class NewMemberBody(StrictSerializer):
    """Who joins, as what."""

    email = serializers.EmailField()
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    role = serializers.ChoiceField(choices=Role.choices)


class RoleBody(StrictSerializer):
    """The role a member is given."""

    role = serializers.ChoiceField(choices=Role.choices)


class MeSerializer(serializers.Serializer[object]):
    """Who is asking, where, and what they may do."""

    workspace_id = serializers.IntegerField()
    workspace = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    user_id = serializers.IntegerField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    api_key_id = serializers.IntegerField(allow_null=True)
    may = serializers.ListField(child=serializers.CharField())


class LedgerSerializer(serializers.Serializer[object]):
    """The conservation law: everything asked for ended, or waits. `difference` is 0."""

    received = serializers.IntegerField()
    applied = serializers.IntegerField()
    coalesced = serializers.IntegerField()
    skipped = serializers.IntegerField()
    dead = serializers.IntegerField()
    waiting = serializers.IntegerField()
    difference = serializers.IntegerField()


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """One action of a person or a program."""

    class Meta:
        model = AuditEntry
        fields = ("id", "user_id", "api_key_id", "action", "target", "details", "at")
        read_only_fields = fields
