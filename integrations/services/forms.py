"""Choosing which web forms of a connected account are taken in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.services import Actor, audit
from integrations.connectors import CONNECTORS
from integrations.connectors.base import ReadsForms
from integrations.connectors.session import open_connector
from integrations.errors import PermissionMissing, SyncError
from integrations.models import Connection, FormSource
from integrations.records import RemoteForm
from integrations.sync import submissions
from integrations.sync.calls import record as record_calls

BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ListedForm:
    """A form as people choose it. source: None while it was never switched on.

    item: the poll of it, None while there is none.
    """

    remote_id: str
    name: str
    source: FormSource | None
    item: WorkItem | None

    @property
    def failing(self) -> bool:
        """Tell whether its last poll failed."""
        return self.item is not None and self.item.failed_at is not None


@dataclass(frozen=True, slots=True)
class Listed:
    """The forms of an account. problem: why the account could not be asked, or ""."""

    forms: list[ListedForm]
    problem: str


def has_forms(connection: Connection) -> bool:
    """Tell whether a connection's vendor has forms that can be read."""
    entry = CONNECTORS.get(connection.vendor)
    return entry is not None and entry.spec.has_forms


def listed(connection: Connection) -> Listed:
    """Ask the account for its forms; those known here come in any case."""
    problem = ""
    there: tuple[RemoteForm, ...] = ()
    if connection.status != Connection.Status.DISCONNECTED:
        try:
            there = _asked(connection)
        except SyncError as error:
            problem = _words(error)
    known = {one.remote_id: one for one in connection.forms.all()}
    keys = [str(one.pk) for one in known.values()]
    items = WorkItem.objects.filter(kind=submissions.KIND, key__in=keys)
    by_key = {one.key: one for one in items}
    names = {one.id: one.name for one in there}
    names |= {one.remote_id: one.name for one in known.values()}
    rows = [
        ListedForm(
            remote_id,
            name,
            source := known.get(remote_id),
            by_key.get(str(source.pk)) if source else None,
        )
        for remote_id, name in names.items()
    ]
    rows.sort(key=lambda one: (one.source is None, one.name.lower(), one.remote_id))
    return Listed(rows, problem)


def shown(form: FormSource) -> ListedForm:
    """Return one form that was switched on at some time, without asking the account."""
    items = WorkItem.objects.filter(kind=submissions.KIND, key=str(form.pk))
    return ListedForm(form.remote_id, form.name, form, items.first())


def _asked(connection: Connection) -> tuple[RemoteForm, ...]:
    connector, calls = open_connector(connection)
    if not isinstance(connector, ReadsForms):
        return ()
    try:
        return connector.forms()
    finally:
        record_calls(connection, calls.take())


def _words(error: SyncError) -> str:
    said = error.message or error.detail or "The account could not be asked."
    if isinstance(error, PermissionMissing):
        return f"{said.rstrip('.')}. {error.needs or submissions.NEEDS}"
    return said


@transaction.atomic
def switch_on(
    connection: Connection,
    actor: Actor,
    *,
    remote_id: str,
    name: str,
    counts_as_reply: bool,
    with_past: bool,
) -> FormSource:
    """Take a form in from now on, with_past: what the last 30 days brought as well.

    One that is on already only learns whether it counts as a reply. The name it first
    had stays, and with it its campaign.
    """
    at = queue.now()
    begins = at - BACK if with_past else at
    form, _ = FormSource.objects.select_for_update().get_or_create(
        connection=connection,
        remote_id=remote_id,
        defaults={
            "workspace": connection.workspace,
            "name": name[:200],
            "active": False,
            "begins_at": begins,
            "taken_until": begins,
        },
    )
    form.counts_as_reply = counts_as_reply
    if not form.active:
        form.active, form.stopped = True, ""
        form.begins_at = form.taken_until = begins
        form.window_until, form.page = None, ""
    form.save()
    submissions.ask_form(form)
    audit(connection.workspace, actor, "form.switched_on", target=form)
    return form


@transaction.atomic
def switch_off(form: FormSource, actor: Actor) -> None:
    """Take nothing of a form in any more; what came in stays."""
    FormSource.objects.filter(pk=form.pk).update(active=False)
    rows = WorkItem.objects.filter(kind=submissions.KIND, key=str(form.pk))
    queue.abandon(rows)
    audit(form.workspace, actor, "form.switched_off", target=form)
