"""The API of a workspace itself: its people, keys, audit trail and ledger."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crmsync.core import queue, services
from crmsync.core.api.base import ScopedViewSet, actor_of, role_of, workspace_of
from crmsync.core.api.filters import refuse_unknown
from crmsync.core.api.serializers import (
    ApiKeyBody,
    ApiKeySerializer,
    AuditEntrySerializer,
    LedgerSerializer,
    MemberSerializer,
    MeSerializer,
    NewApiKeySerializer,
    NewMemberBody,
    RoleBody,
)
from crmsync.core.models import ApiKey, AuditEntry, Membership
from crmsync.core.roles import ALLOWED, Can
from crmsync.core.views.people import send_password_letter


class MeView(APIView):
    """Who is asking."""

    reads = Can.VIEW_RECORDS

    @extend_schema(responses=MeSerializer, operation_id="me")
    def get(self, request: Request) -> Response:
        """Show the caller's workspace, role and what it allows."""
        refuse_unknown(request, frozenset())
        actor, workspace = actor_of(request), workspace_of(request)
        return Response(
            {
                "workspace_id": workspace.pk,
                "workspace": workspace.name,
                "role": role_of(request),
                "user_id": actor.user.pk if actor.user else None,
                "email": actor.user.email if actor.user else None,
                "api_key_id": actor.api_key.pk if actor.api_key else None,
                "may": sorted(ALLOWED[role_of(request)]),
            }
        )


class LedgerView(APIView):
    """What was asked for and what became of it."""

    reads = Can.VIEW_SYNC

    @extend_schema(responses=LedgerSerializer, operation_id="health_ledger")
    def get(self, request: Request) -> Response:
        """Show the ledger of the workspace's work, computed now."""
        refuse_unknown(request, frozenset())
        return Response(queue.ledger())


class ApiKeyViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Keys of programs; a key's text is shown once, when it is made."""

    model = ApiKey
    serializer_class = ApiKeySerializer
    reads = Can.MANAGE_WORKSPACE
    writes = Can.MANAGE_WORKSPACE

    @extend_schema(request=ApiKeyBody, responses={201: NewApiKeySerializer})
    def create(self, request: Request) -> Response:
        """Make a key; keep the `key` of the answer, it is not shown again."""
        key, text = services.create_api_key(
            workspace_of(request), actor_of(request), **self.checked(ApiKeyBody)
        )
        return Response({**ApiKeySerializer(key).data, "key": text}, status=201)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revoke a key, at once and for good."""
        services.revoke_api_key(self.get_object(), actor_of(request))
        return Response(status=204)


class MemberViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """The people of the workspace and their roles."""

    model = Membership
    related = ("user",)
    serializer_class = MemberSerializer
    writes = Can.MANAGE_WORKSPACE

    @extend_schema(request=NewMemberBody, responses={201: MemberSerializer})
    def create(self, request: Request) -> Response:
        """Add a person; somebody new signs in by "Forgot password"."""
        member = services.add_member(
            workspace_of(request), actor_of(request), **self.checked(NewMemberBody)
        )
        return self.shown(member, status=201)

    @extend_schema(request=RoleBody, responses=MemberSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a member another role."""
        member, body = self.get_object(), self.checked(RoleBody)
        changed = services.change_role(member, actor_of(request), body["role"])
        return self.shown(changed)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a person out of the workspace."""
        services.remove_member(self.get_object(), actor_of(request))
        return Response(status=204)

    @extend_schema(request=None, responses={202: MemberSerializer})
    @action(detail=True, methods=["post"])
    def letter(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send the person a letter with a link to set a password."""
        member = self.get_object()
        send_password_letter(request._request, member.user.email)  # noqa: SLF001
        return self.shown(member, status=202)


class AuditViewSet(ListModelMixin, ScopedViewSet):
    """Who changed which setting, newest first."""

    model = AuditEntry
    serializer_class = AuditEntrySerializer
    reads = Can.MANAGE_WORKSPACE
    writes = Can.MANAGE_WORKSPACE
