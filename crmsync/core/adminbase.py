"""The base of every model in the console: scoped, read-only, without secrets.

A model is looked at here and changed through the product's services. What may be
changed here is named in `editable`, and each change is in the audit trail.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import RelatedFieldListFilter
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model, QuerySet
from django.db.models.options import Options
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from crmsync.core.adminsite import back_to, page_of
from crmsync.core.crypto import EncryptedTextField
from crmsync.core.models import Membership, User, Workspace
from crmsync.core.services import Actor, Refused, audit

# Digests and the like: useless to a reader, useful to a thief.
_SECRET_NAMES = frozenset(
    {"password", "digest", "token_digest", "session_key", "dedupe_key"}
)
_SHOWN_BYTES = 64 * 1024


def is_secret(field: Any) -> bool:
    """Tell whether a field is never shown, searched or filtered by."""
    return isinstance(field, EncryptedTextField) or field.name in _SECRET_NAMES


@dataclass(frozen=True, slots=True)
class Look:
    """A number on the overview that should be 0, and where its rows are."""

    title: str
    count: int
    url: str


class ConsoleAdmin(ModelAdmin):
    """A model of the current workspace, to look at."""

    # Where it stands in the sidebar, under which symbol (Material Symbols).
    section: ClassVar[str]
    icon: ClassVar[str] = "table_rows"
    # What its rows are called there, where the model's own name reads badly.
    words: ClassVar[str] = ""
    # Fields that may be changed here; none makes the page read-only.
    editable: ClassVar[Sequence[str]] = ()
    # Fields that are shown in another form, or not at all.
    hidden: ClassVar[Sequence[str]] = ()
    # Computed fields that are shown after the others.
    shown: ClassVar[Sequence[str]] = ()
    # Too many rows to count for each page.
    is_large: ClassVar[bool] = False

    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True
    list_filter_submit = True
    actions_on_top = True

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        if self.is_large:
            self.paginator = InfinitePaginator

    # --- what may be done -----------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model to everyone who may enter."""
        return self.admin_site.has_permission(request)

    def has_view_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Let everyone look who may enter."""
        return self.admin_site.has_permission(request)

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Let people change only what is named editable."""
        return bool(self.editable) and self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: records come through services."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Refuse: what happened stays."""
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Let everyone act who may enter."""
        return self.admin_site.has_permission(request)

    # --- what is seen ---------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every column but the secret and the hidden ones."""
        columns = [
            field.name
            for field in self.opts.concrete_fields
            if field.name not in self.hidden and not is_secret(field)
        ]
        return [*columns, *self.shown]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> list[str]:
        """Return all that is not editable."""
        fields = self.get_fields(request, obj)
        return [name for name in fields if name not in self.editable]

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Keep secrets out of every form."""
        return [one.name for one in self.opts.concrete_fields if is_secret(one)]

    def lookup_allowed(
        self, lookup: str, value: Any, request: HttpRequest | None = None
    ) -> bool:
        """Refuse to filter by a secret, which could be guessed letter by letter."""
        if not _is_harmless(self.model, lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)

    def view_on_site(self, obj: Model) -> str | None:
        """Link to the record's page in the product."""
        return page_of(obj)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Answer 404; another workspace's object does not exist."""
        raise Http404

    def looks(self, request: HttpRequest) -> list[Look]:
        """Return what of this model the overview should point at."""
        return []

    def _look(self, title: str, count: int, *, query: str = "") -> Look:
        opts = self.opts
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        return Look(title, count, f"{address}?{query}" if query else address)

    # --- what is changed ------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the page; what a service refuses is told there."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return back_to(request)

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Ask, then delete; what a service refuses is told there."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return back_to(request)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Write to the audit trail; Django's own log belongs to no workspace."""
        note(request, f"{self._word()}.changed", target=obj, details=_changed(message))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Write to the audit trail."""
        note(request, f"{self._word()}.created", target=obj)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Write to the audit trail."""
        for obj in queryset:
            note(request, f"{self._word()}.deleted", target=obj)

    def _word(self) -> str:
        return str(self.opts.verbose_name).lower().replace(" ", "_")


def _changed(message: Any) -> dict[str, object]:
    fields = [
        name
        for part in (message if isinstance(message, list) else [])
        for name in part.get("changed", {}).get("fields", [])
    ]
    return {"fields": fields}


def _is_harmless(model: type[Model], path: Sequence[str]) -> bool:
    """Follow a lookup through the models; a secret on the way refuses it."""
    for name in path:
        try:
            field: Any = _options(model).get_field(name)
        except FieldDoesNotExist:
            return True
        if is_secret(field):
            return False
        if field.related_model is None:
            return True
        model = field.related_model
    return True


def _options(model: type[Model]) -> Options[Any]:
    return model._meta  # noqa: SLF001 - Django's own public name


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in the console."""
    assert isinstance(request.user, User)
    return Actor(user=request.user)


def note(
    request: HttpRequest,
    action: str,
    *,
    target: object,
    details: dict[str, object] | None = None,
) -> None:
    """Write an entry of the audit trail in the workspace the console shows."""
    workspace: Workspace | None = getattr(request, "workspace", None)
    if workspace is not None:
        audit(workspace, actor_of(request), action, target=target, details=details)


class MemberFilter(RelatedFieldListFilter):
    """Filters by a person, offering only the workspace's own."""

    def field_choices(
        self, field: Field[Any, Any], request: HttpRequest, model_admin: Any
    ) -> list[tuple[Any, Any]]:
        """Return the members."""
        members = Membership.objects.select_related("user").order_by("user__email")
        return [(one.user_id, str(one.user)) for one in members]


# --- showing what strangers sent ----------------------------------------------------


def readable(data: bytes) -> str:
    """Return bytes as text in which nothing is invisible and nothing is a command.

    >>> readable(b'a\\xff\\x00' + '\\u202e'.encode())
    'a\\\\xff\\\\x00\\\\u202e'
    """
    text = data.decode("utf-8", errors="backslashreplace")
    return "".join(one if _is_plain(one) else _escaped(one) for one in text)


def _is_plain(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character)[0] != "C"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def verbatim(data: bytes | str) -> SafeString | str:
    """Return bytes or text as a block to read, cut when it is very long."""
    raw = (
        data.encode("utf-8", errors="backslashreplace")
        if isinstance(data, str)
        else data
    )
    if not raw:
        return "–"
    block = format_html(
        '<pre class="console-text">{}</pre>', readable(raw[:_SHOWN_BYTES])
    )
    if len(raw) <= _SHOWN_BYTES:
        return block
    told = f"The first {_SHOWN_BYTES // 1024} KiB of {len(raw):,} bytes."
    return format_html("{}<p>{}</p>", block, told)


def as_json(value: object) -> SafeString | str:
    """Return a JSON value as an indented block to read."""
    if value in (None, {}, [], ""):
        return "–"
    return verbatim(json.dumps(value, indent=2, ensure_ascii=False, default=str))
