"""What every connector can do, whatever the vendor.

A connector is made from plain values, knows no model, and raises only errors of
`integrations.errors`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from integrations.connectors.spec import VendorSpec
from integrations.errors import SyncError
from integrations.records import (
    Account,
    Association,
    Filter,
    Page,
    RemoteField,
    RemoteOwner,
    RemotePipeline,
    RemoteRecord,
    Write,
    WriteResult,
)


class Connector(Protocol):
    """One account of one vendor, spoken to through one HttpClient."""

    @property
    def spec(self) -> VendorSpec: ...

    def check(self) -> Account:
        """Say whose account the token opens. Raises ReauthRequired when none."""

    def describe(self, object_type: str) -> tuple[RemoteField, ...]:
        """List the fields of an object, hidden ones left out."""

    def owners(self) -> tuple[RemoteOwner, ...]:
        """List who can own records, the inactive included."""

    def pipelines(self, object_type: str) -> tuple[RemotePipeline, ...]:
        """List pipelines with their stages; () for objects that have none."""

    def write(self, object_type: str, writes: Sequence[Write]) -> list[WriteResult]:
        """Write records; one result for each, in the order given.

        One vendor call per mode and key field, up to the vendor's batch size.
        What concerns one record comes back in its result. A failure of a whole
        call (RateLimited, ReauthRequired, PermissionMissing, Retryable) is raised
        while nothing has been written; once something has, it comes back as the
        error of the records that were not sent, so that no outcome is lost.
        OutcomeUnknown is always a result, never raised.
        """

    def fetch(
        self,
        object_type: str,
        ids: Sequence[str],
        *,
        fields: Sequence[str],
        key_field: str | None = None,
    ) -> list[RemoteRecord]:
        """Read records by id, or by a unique field; missing ones are left out."""

    def search(
        self,
        object_type: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        limit: int,
        *,
        cursor: str | None = None,
    ) -> Page:
        """Find records by conditions. The vendor's index may lag behind writes."""

    def changed_since(
        self,
        object_type: str,
        since: datetime,
        until: datetime,
        cursor: str | None,
        fields: Sequence[str],
    ) -> Page:
        """Read one page of what changed in [since, until], ordered by record id.

        Keep the window fixed while paging; subtract the overlap before calling.
        """

    def associations(
        self, from_object: str, to_object: str, ids: Sequence[str]
    ) -> dict[str, list[str]]:
        """Map each of ids to the ids it is tied to, [] when to none."""

    def associate(
        self,
        from_object: str,
        ties: Sequence[tuple[str, Association]],
    ) -> list[SyncError | None]:
        """Tie records together, (from id, association) each. Safe to repeat."""

    def ensure_fields(
        self, object_type: str, fields: Sequence[RemoteField]
    ) -> tuple[RemoteField, ...]:
        """Make the fields that are missing; return each as it now is.

        A field that could not be made, or does not serve, comes back with `refusal`.
        """

    def delete(self, object_type: str, ids: Sequence[str]) -> None:
        """Move records to the vendor's recycle bin. Safe to repeat."""

    def parse_error(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> SyncError:
        """Name what an answer of 300 or more means. Pure."""

    def to_remote(self, value: object | None, field: RemoteField | None = None) -> str:
        """Write a value as the vendor wants it, "" = clear. Pure.

        Raises RecordRejected for a value the field cannot hold.
        """
