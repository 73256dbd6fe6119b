"""HubSpot through one HttpClient: which call for which wish, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.connectors.batches import settle
from integrations.connectors.http import Call, HttpClient
from integrations.connectors.hubspot import (
    answers,
    errors,
    forms,
    gone,
    reading,
    searching,
    values,
    writing,
)
from integrations.connectors.hubspot import fields as properties
from integrations.connectors.hubspot import ties as associating
from integrations.connectors.hubspot.answers import Sent
from integrations.connectors.hubspot.apart import by_object
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.errors import VENDOR
from integrations.connectors.hubspot.spec import (
    PRIVATE_APP_PREFIX,
    SPEC,
    object_facts,
)
from integrations.connectors.paging import chunks, walk
from integrations.connectors.spec import VendorSpec, VersionStyle
from integrations.errors import (
    PermissionMissing,
    RecordGone,
    RecordRejected,
    SyncError,
    Unsupported,
)
from integrations.records import (
    Account,
    Association,
    Conversion,
    Filter,
    Gone,
    GonePage,
    Page,
    RemoteField,
    RemoteForm,
    RemoteOwner,
    RemotePipeline,
    RemoteRecord,
    SubmissionPage,
    Write,
    WriteResult,
)

# What a token gets to hear where it is of another kind than was asked about.
_NOT_TOLD = (RecordGone, RecordRejected, PermissionMissing, Unsupported)


class HubSpotConnector:
    """One HubSpot account. See `Connector` for what the methods promise.

    versions: path family -> "numbered" (default) or "dated".
    """

    spec: VendorSpec = SPEC

    def __init__(
        self, http: HttpClient, versions: Mapping[str, VersionStyle] | None = None
    ) -> None:
        self.calls = Calls(http, versions)

    # Facts about the account

    def check(self) -> Account:
        """Ask what the token says of itself, then whose the account is; where
        neither is told, just use it."""
        for ask in (self._token_info, self._account_details):
            try:
                return _account(ask())
            except _NOT_TOLD:
                continue
        self.calls.get(self.calls.path("objects", "contacts"), {"limit": "1"})
        return Account(id="")

    def currency(self) -> str:
        try:
            return answers.only_currency(self._account_details())
        except _NOT_TOLD:
            return ""

    @by_object
    def describe(self, object_type: str) -> tuple[RemoteField, ...]:
        return properties.describe(self.calls, object_type)

    @by_object
    def ensure_fields(
        self, object_type: str, fields: Sequence[RemoteField]
    ) -> tuple[RemoteField, ...]:
        return properties.ensure(self.calls, object_type, fields)

    def owners(self) -> tuple[RemoteOwner, ...]:
        return tuple(walk(self._owners_page))

    def pipelines(self, object_type: str) -> tuple[RemotePipeline, ...]:
        if not object_facts(object_type).has_pipelines:
            return ()
        body = self.calls.get(self.calls.path("pipelines", object_type))
        return tuple(answers.pipeline(entry) for entry in answers.entries(body))

    # Writing

    @by_object
    def write(self, object_type: str, writes: Sequence[Write]) -> list[WriteResult]:
        """Write records; one result for each, in the order given.

        New associations of updated and upserted records are a second call, since
        HubSpot takes them inline on create only.
        """
        prepared: list[Sent] = []
        done: list[WriteResult] = []
        for number, write in enumerate(writes):
            try:
                prepared.append(writing.prepare(write, f"w{number}"))
            except RecordRejected as error:
                done.append(answers.refused(write, error))
        prepared, unclear = self._cleared(object_type, prepared)
        done += unclear
        done += settle(
            writing.batches(prepared),
            lambda batch: self._write_batch(object_type, batch),
            _refused,
            blamed=writing.blamed,
        )
        by_ref = {result.ref: result for result in done}
        self._tie_late(object_type, writes, by_ref)
        return [by_ref[write.ref] for write in writes]

    @by_object
    def delete(self, object_type: str, ids: Sequence[str]) -> Mapping[str, SyncError]:
        path = self.calls.path("objects", object_type, "batch", "archive")
        for chunk in chunks(ids, SPEC.batch.write):
            body = {"inputs": [{"id": one} for one in chunk]}
            self.calls.post(path, body, inputs=len(chunk), object_type=object_type)
        return {}

    def convert(self, conversions: Sequence[Conversion]) -> list[WriteResult]:
        """Raise Unsupported: a HubSpot lead stays beside its contact for good."""
        raise Unsupported("HubSpot does not convert leads", vendor=VENDOR)

    # Reading

    @by_object
    def fetch(
        self,
        object_type: str,
        ids: Sequence[str],
        *,
        fields: Sequence[str],
        key_field: str | None = None,
    ) -> list[RemoteRecord]:
        """Read records; the id of one that was merged gives the record it is in now."""
        return reading.fetch(
            self.calls, object_type, ids, fields=fields, key_field=key_field
        )

    @by_object
    def search(
        self,
        object_type: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        limit: int,
        *,
        cursor: str | None = None,
    ) -> Page:
        def body_for(wanted: Sequence[str]) -> dict[str, object]:
            return searching.search_body(filters, wanted, limit, cursor)

        found, answer = reading.search(self.calls, object_type, body_for, fields)
        return Page(tuple(found), answers.next_after(answer))

    @by_object
    def changed_since(
        self,
        object_type: str,
        since: datetime,
        until: datetime,
        cursor: str | None,
        fields: Sequence[str],
    ) -> Page:
        window = (since, until)
        return reading.changed_since(self.calls, object_type, window, cursor, fields)

    @by_object
    def scan(self, object_type: str, cursor: str | None, fields: Sequence[str]) -> Page:
        return reading.scan(self.calls, object_type, cursor, fields)

    @by_object
    def gone_since(
        self, object_type: str, since: datetime, until: datetime, cursor: str | None
    ) -> GonePage:
        return gone.page(self.calls, object_type, since, until, cursor)

    @by_object
    def gone_among(self, object_type: str, ids: Sequence[str]) -> list[Gone]:
        return gone.among(self.calls, object_type, ids)

    @by_object
    def count(self, object_type: str) -> int | None:
        return reading.count(self.calls, object_type)

    @by_object
    def changed_at(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, datetime]]:
        return reading.changed_at(self.calls, object_type, ids, fields)

    # Forms

    def forms(self) -> tuple[RemoteForm, ...]:
        return forms.forms(self.calls)

    def submissions(self, form_id: str, cursor: str | None) -> SubmissionPage:
        return forms.submissions(self.calls, form_id, cursor)

    # Associations

    @by_object
    def associations(
        self, from_object: str, to_object: str, ids: Sequence[str]
    ) -> dict[str, list[str]]:
        return associating.read(self.calls, from_object, to_object, ids)

    def tied_to_all(
        self, object_type: str, ties: Sequence[Sequence[Association]]
    ) -> list[str | None]:
        """Raise Unsupported: nothing in HubSpot is known by its associations."""
        raise Unsupported("HubSpot has no such objects", vendor=VENDOR)

    def told_ties(self, record: RemoteRecord, to_object: str) -> list[str] | None:
        return None

    @by_object
    def dissociate(
        self, from_object: str, ties: Sequence[tuple[str, Association]]
    ) -> list[SyncError | None]:
        """Take ties away, with all their labels."""
        return associating.part(self.calls, from_object, ties)

    @by_object
    def associate(
        self, from_object: str, ties: Sequence[tuple[str, Association]]
    ) -> list[SyncError | None]:
        return associating.make(self.calls, from_object, ties)

    # Pure hooks of the protocol

    def parse_error(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> SyncError:
        return errors.parse_error(status, headers, body)

    def to_remote(self, value: object | None, field: RemoteField | None = None) -> str:
        return values.to_remote(value, field)

    def from_remote(self, text: str | None, field: RemoteField) -> object | None:
        return values.from_remote(text, field)

    # Parts of the above

    def _token_info(self) -> answers.Json:
        token = self.calls.http.token()
        if token.startswith(PRIVATE_APP_PREFIX):
            path = self.calls.path("private_token_info")
            return self.calls.post(path, {"tokenKey": token}, inputs=0)
        path = self.calls.path("oauth_token_info") + "/{token}"
        return self.calls.http.request(Call("GET", path, {"token": token})).body

    def _account_details(self) -> answers.Json:
        return self.calls.get(self.calls.path("account"))

    def _owners_page(self, cursor: str | None) -> tuple[list[RemoteOwner], str | None]:
        query = {"limit": "100"} | ({"after": cursor} if cursor else {})
        body = self.calls.get(self.calls.path("owners"), query)
        found = [answers.owner(entry) for entry in answers.entries(body)]
        return found, answers.next_after(body)

    def _cleared(
        self, object_type: str, prepared: Sequence[Sent]
    ) -> tuple[list[Sent], list[WriteResult]]:
        """Empty the fields that could not be put back otherwise; one call per batch.

        Returns what may be written now, and the outcome of what could not be emptied.
        """
        clearing = [
            one for sent in prepared if (one := writing.clearing(sent)) is not None
        ]
        if not clearing:
            return list(prepared), []
        done = settle(
            writing.batches(clearing),
            lambda batch: self._write_batch(object_type, batch),
            _refused,
            blamed=writing.blamed,
        )
        failed = {one.ref: one for one in done if one.error is not None}
        rest = [one for one in prepared if one.write.ref not in failed]
        return rest, list(failed.values())

    def _write_batch(
        self, object_type: str, batch: Sequence[Sent]
    ) -> list[WriteResult]:
        mode = batch[0].write.effective_mode
        body = self.calls.post(
            self.calls.path("objects", object_type, "batch", mode),
            writing.body_of(batch),
            inputs=len(batch),
            object_type=object_type,
            repeatable=mode != "create",
        )
        return answers.written(batch, body, object_type)

    def _tie_late(
        self, object_type: str, writes: Sequence[Write], by_ref: dict[str, WriteResult]
    ) -> None:
        """Make the associations that did not go with the create."""
        late: list[tuple[str, Association]] = []
        refs: list[str] = []
        for write in writes:
            result = by_ref[write.ref]
            if result.error is not None or result.remote_id is None:
                continue
            for tie in writing.not_inline(write):
                late.append((result.remote_id, tie))
                refs.append(write.ref)
        if not late:
            return
        try:
            fresh = {r.remote_id or "" for r in by_ref.values() if r.created}
            outcome = associating.make(self.calls, object_type, late, fresh=fresh)
        except SyncError as error:
            # The records are written; only their ties are not.
            outcome = [error] * len(late)
        for ref, failure in zip(refs, outcome, strict=True):
            if failure is not None:
                by_ref[ref] = replace(by_ref[ref], error=failure)


def _account(info: answers.Json) -> Account:
    """Read what tells of the account; each source spells its keys in its own way."""
    scopes = info.get("scopes")
    scopes = scopes if isinstance(scopes, list) else []
    expires_in = info.get("expires_in")
    ids = (values.clean(info.get(key)) for key in ("hub_id", "hubId", "portalId"))
    return Account(
        id=next(filter(None, ids), ""),
        name=values.clean(info.get("hub_domain")) or "",
        scopes=tuple(scope for scope in scopes if isinstance(scope, str)),
        token_expires_in_s=expires_in if isinstance(expires_in, int) else None,
        user=values.clean(info.get("user")) or "",
    )


def _refused(sent: Sent, error: SyncError) -> WriteResult:
    if isinstance(error, RecordRejected) and not error.value:
        # HubSpot names the property and not always what was in it.
        error.value = sent.properties.get(error.field, "")
    return answers.refused(sent.write, error)
