"""Salesforce through one HttpClient: which call for which wish, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.connectors.batches import settle
from integrations.connectors.http import HttpClient
from integrations.connectors.paging import chunks
from integrations.connectors.salesforce import (
    account,
    answers,
    bulk,
    converting,
    deleting,
    errors,
    fields,
    gone,
    history,
    matching,
    reading,
    soql,
    tables,
    ties,
    values,
    writing,
)
from integrations.connectors.salesforce.answers import Sent
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.spec import (
    BULK_BYTES,
    BULK_FROM,
    COLLECTION,
    SPEC,
)
from integrations.connectors.spec import VendorSpec
from integrations.errors import Misconfigured, RecordRejected, SyncError
from integrations.records import (
    Account,
    Association,
    Conversion,
    Filter,
    Gone,
    GonePage,
    Page,
    RemoteField,
    RemoteOwner,
    RemotePipeline,
    RemoteRecord,
    Write,
    WriteResult,
)


class SalesforceConnector:
    """One Salesforce org. See `Connector` for what the methods promise.

    patience: how long a bulk job is waited for.
    """

    spec: VendorSpec = SPEC

    def __init__(self, http: HttpClient, patience: bulk.Patience | None = None) -> None:
        self._calls = Calls(http)
        self._patience = patience or bulk.Patience()
        self._described: dict[str, Mapping[str, RemoteField]] = {}

    # Facts about the account

    def check(self) -> Account:
        return account.check(self._calls)

    def currency(self) -> str:
        return account.currency(self._calls)

    def describe(self, object_type: str) -> tuple[RemoteField, ...]:
        return fields.describe(self._calls, object_type)

    def ensure_fields(
        self, object_type: str, fields_: Sequence[RemoteField]
    ) -> tuple[RemoteField, ...]:
        return fields.ensure(self._calls, object_type, fields_)

    def owners(self) -> tuple[RemoteOwner, ...]:
        return account.owners(self._calls)

    def pipelines(self, object_type: str) -> tuple[RemotePipeline, ...]:
        return account.pipelines(self._calls, object_type)

    # Writing

    def write(self, object_type: str, writes: Sequence[Write]) -> list[WriteResult]:
        """Write records; one result for each, in the order given.

        An upsert by a field that is no external id is looked up first. Ties that are no
        field of the record are made afterwards.
        """
        prepared: list[Sent] = []
        done: list[WriteResult] = []
        for write in writes:
            try:
                prepared.append(writing.prepare(write))
            except (RecordRejected, Misconfigured) as error:
                done.append(WriteResult(write.ref, write.remote_id, None, {}, error))
        ready, undecided = matching.resolve(self._calls, object_type, prepared)
        done += undecided
        done += settle(
            self._batches(ready),
            lambda batch: self._write_batch(object_type, batch),
            answers.refused,
            blamed=writing.blamed,
        )
        by_ref = {result.ref: result for result in done}
        self._tie_late(object_type, writes, by_ref)
        return [by_ref[write.ref] for write in writes]

    def delete(self, object_type: str, ids: Sequence[str]) -> Mapping[str, SyncError]:
        return deleting.delete(self._calls, object_type, ids)

    def convert(self, conversions: Sequence[Conversion]) -> list[WriteResult]:
        return converting.convert(self._calls, conversions)

    # Reading

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
            self._calls, object_type, ids, fields=fields, key_field=key_field
        )

    def search(
        self,
        object_type: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        limit: int,
        *,
        cursor: str | None = None,
    ) -> Page:
        soql.check_filters(filters)
        return reading.search(
            self._calls,
            object_type,
            filters,
            self._known_fields(object_type),
            fields=fields,
            limit=limit,
            cursor=cursor,
        )

    def changed_since(
        self,
        object_type: str,
        since: datetime,
        until: datetime,
        cursor: str | None,
        fields: Sequence[str],
    ) -> Page:
        window = (since, until)
        return reading.changed_since(self._calls, object_type, window, cursor, fields)

    def scan(self, object_type: str, cursor: str | None, fields: Sequence[str]) -> Page:
        return reading.scan(self._calls, object_type, cursor, fields)

    def gone_since(
        self, object_type: str, since: datetime, until: datetime, cursor: str | None
    ) -> GonePage:
        return gone.page(self._calls, object_type, (since, until), cursor)

    def gone_among(self, object_type: str, ids: Sequence[str]) -> list[Gone]:
        return gone.among(self._calls, object_type, ids)

    def count(self, object_type: str) -> int | None:
        return reading.count(self._calls, object_type)

    def changed_at(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, datetime]]:
        return history.changed_at(self._calls, object_type, ids, fields)

    # Associations

    def associations(
        self, from_object: str, to_object: str, ids: Sequence[str]
    ) -> dict[str, list[str]]:
        return ties.read(self._calls, from_object, to_object, ids)

    def tied_to_all(
        self, object_type: str, ties_: Sequence[Sequence[Association]]
    ) -> list[str | None]:
        return ties.between(self._calls, object_type, ties_)

    def told_ties(self, record: RemoteRecord, to_object: str) -> list[str] | None:
        return ties.told(record, to_object)

    def dissociate(
        self, from_object: str, ties_: Sequence[tuple[str, Association]]
    ) -> list[SyncError | None]:
        return ties.part(self._calls, from_object, ties_)

    def associate(
        self, from_object: str, ties_: Sequence[tuple[str, Association]]
    ) -> list[SyncError | None]:
        return ties.make(self._calls, from_object, ties_)

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

    def _known_fields(self, object_type: str) -> Mapping[str, RemoteField]:
        """Describe an object once: how a value is written depends on its field."""
        if object_type not in self._described:
            fields = self.describe(object_type)
            self._described[object_type] = {field.name: field for field in fields}
        return self._described[object_type]

    def _batches(self, ready: Sequence[Sent]) -> list[list[Sent]]:
        """Cut into calls, or into jobs where there are very many of one kind."""
        if len(ready) < BULK_FROM:
            return list(writing.batches(ready))
        cut: list[list[Sent]] = []
        for batch in writing.batches(ready, SPEC.batch.bulk):
            creates = writing.kind_of(batch[0])[0] == "create"
            if len(batch) >= BULK_FROM and not creates:
                cut += tables.fitting(batch, BULK_BYTES)
            else:
                cut += map(list, chunks(batch, COLLECTION))
        return cut

    def _write_batch(
        self, object_type: str, batch: Sequence[Sent]
    ) -> list[WriteResult]:
        if len(batch) > COLLECTION:
            return bulk.write(self._calls, batch, self._patience)
        kind, key_field = writing.kind_of(batch[0])
        parts = (object_type, key_field) if kind == "upsert" else ()
        answer = self._calls.send(
            "POST" if kind == "create" else "PATCH",
            self._calls.path("composite", "sobjects", *parts),
            writing.body_of(batch),
            headers=writing.headers(kind),
            inputs=len(batch),
            object_type=object_type,
            repeatable=kind != "create",
        )
        return answers.written(batch, answer.items, updating=kind == "update")

    def _tie_late(
        self, object_type: str, writes: Sequence[Write], by_ref: dict[str, WriteResult]
    ) -> None:
        """Make the associations that are no field of the record."""
        late: list[tuple[str, Association]] = []
        refs: list[str] = []
        for write in writes:
            result = by_ref[write.ref]
            if result.error is not None or result.remote_id is None:
                continue
            for tie in write.associations:
                if not writing.is_inline(write, tie):
                    late.append((result.remote_id, tie))
                    refs.append(write.ref)
        if not late:
            return
        try:
            outcome = self.associate(object_type, late)
        except SyncError as error:
            # The records are written; only their ties are not.
            outcome = [error] * len(late)
        for ref, failure in zip(refs, outcome, strict=True):
            if failure is not None:
                by_ref[ref] = replace(by_ref[ref], error=failure)
