"""The API of web forms of a connected account: which there are, which are taken in."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crmsync.core.api.base import StrictSerializer, actor_of
from crmsync.core.api.errors import Conflict
from crmsync.core.api.filters import refuse_unknown
from crmsync.core.roles import Can
from crmsync.core.wake import wake_after_commit
from integrations.models import Connection, FormSource
from integrations.services import forms


class FormSerializer(serializers.Serializer[forms.ListedForm]):
    """A form, and how far it is; what was never switched on has counts of 0.

    `nameless`: submissions that say nobody who could be known again; `taken_until`:
    everything submitted until then is in; `stopped`: why it switched itself off;
    `row_id`: the row of the queue that asks for it, which says why it is `failing`.
    """

    remote_id = serializers.CharField()
    name = serializers.CharField()
    active = serializers.BooleanField(source="source.active", default=False)
    counts_as_reply = serializers.BooleanField(
        source="source.counts_as_reply", default=False
    )
    failing = serializers.BooleanField()
    stopped = serializers.CharField(source="source.stopped", default="")
    count = serializers.IntegerField(source="source.count", default=0)
    nameless = serializers.IntegerField(source="source.nameless", default=0)
    last_at = serializers.DateTimeField(
        source="source.last_at", default=None, allow_null=True
    )
    taken_until = serializers.DateTimeField(
        source="source.taken_until", default=None, allow_null=True
    )
    row_id = serializers.IntegerField(source="item.pk", default=None, allow_null=True)


class FormsSerializer(serializers.Serializer[forms.Listed]):
    """The forms of an account; `problem`: why it could not be asked, else empty.

    Those that were ever switched on are listed in any case.
    """

    forms = FormSerializer(many=True)
    problem = serializers.CharField()


class SwitchBody(StrictSerializer):
    """Whether a form is taken in, and how."""

    active = serializers.BooleanField()
    counts_as_reply = serializers.BooleanField(
        required=False,
        help_text="A submission opens a deal and gives points. Left out: as before.",
    )
    with_past = serializers.BooleanField(
        default=False,
        help_text="What the last 30 days brought as well; of one that is off.",
    )


def _connection(pk: int) -> Connection:
    connection = Connection.objects.filter(pk=pk).first()
    if connection is None or not forms.has_forms(connection):
        raise NotFound
    return connection


class FormListView(APIView):
    """The forms of a connection."""

    reads: ClassVar[Can] = Can.VIEW_SYNC

    @extend_schema(operation_id="connections_forms_list", responses=FormsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """List the account's forms; asks the CRM which there are.

        404 for a CRM without forms.
        """
        refuse_unknown(request, frozenset())
        return Response(FormsSerializer(forms.listed(_connection(pk))).data)


class FormView(APIView):
    """One form of a connection."""

    writes: ClassVar[Can] = Can.EDIT_MAPPINGS

    @extend_schema(
        operation_id="connections_forms_switch",
        request=SwitchBody,
        responses=FormSerializer,
    )
    def post(self, request: Request, pk: int, remote_id: str) -> Response:
        """Switch a form on or off, by its id in the CRM; what came in stays.

        One that is on learns whether it counts as a reply. 409 where the CRM cannot be
        asked whether there is such a form.
        """
        connection, body = _connection(pk), SwitchBody(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["active"]:
            form = self._switched_on(connection, remote_id, body.validated_data)
        else:
            form = self._switched_off(connection, remote_id)
        return Response(FormSerializer(forms.shown(form)).data)

    def _switched_on(
        self, connection: Connection, remote_id: str, values: dict[str, Any]
    ) -> FormSource:
        listed = forms.listed(connection)
        found = next((one for one in listed.forms if one.remote_id == remote_id), None)
        if found is None:
            raise Conflict(listed.problem) if listed.problem else NotFound
        replies = found.source.counts_as_reply if found.source else False
        form = forms.switch_on(
            connection,
            actor_of(self.request),
            remote_id=remote_id,
            name=found.name,
            counts_as_reply=values.get("counts_as_reply", replies),
            with_past=values["with_past"],
        )
        wake_after_commit("integrations.tasks.take_in", "sync")
        return form

    def _switched_off(self, connection: Connection, remote_id: str) -> FormSource:
        form = connection.forms.filter(remote_id=remote_id).first()
        if form is None:
            raise NotFound
        forms.switch_off(form, actor_of(self.request))
        form.refresh_from_db()
        return form
