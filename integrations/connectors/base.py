"""What every connector can do, whatever the vendor.

A connector is made from plain values, knows no model, and raises only errors of
`integrations.errors`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from integrations.connectors.spec import VendorSpec
from integrations.errors import SyncError
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


class Connector(Protocol):
    """One account of one vendor, spoken to through one HttpClient."""

    @property
    def spec(self) -> VendorSpec: ...

    def check(self) -> Account:
        """Say whose account the token opens. Raises ReauthRequired when none."""

    def currency(self) -> str:
        """Return what all amounts of the account are in, as in ISO 4217.

        "" where it has several currencies, or does not say.
        """

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
        """Read one page of what changed in [since, until]; archived ones left out.

        Keep the window fixed while paging; subtract the overlap before calling. The
        cursor is the vendor's own: it gets past any number of equal timestamps.
        """

    def scan(self, object_type: str, cursor: str | None, fields: Sequence[str]) -> Page:
        """Read one page of all records that exist, by the cheapest way there is.

        A cursor of a page read before stays good, so that a stopped scan goes on.
        """

    def gone_since(
        self, object_type: str, since: datetime, until: datetime, cursor: str | None
    ) -> GonePage:
        """Read one page of what was deleted or merged away in [since, until].

        May name more than that: a vendor without such a list gives all it still
        remembers. Raises Unsupported when it remembers nothing.
        """

    def gone_among(self, object_type: str, ids: Sequence[str]) -> list[Gone]:
        """Return those of ids that the vendor names as deleted or merged away.

        One that is neither named here nor read by `fetch` is hidden from us, or was
        erased for good. One call for each batch of ids.
        """

    def count(self, object_type: str) -> int | None:
        """Return how many records exist, None when asking is not cheap."""

    def changed_at(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, Mapping[str, datetime]]:
        """Return id -> field -> when it was last changed; what is not known is absent.

        For "most recent wins"; asked only where both sides changed a field.
        """

    def associations(
        self, from_object: str, to_object: str, ids: Sequence[str]
    ) -> dict[str, list[str]]:
        """Map each of ids to the ids it is tied to, [] when to none.

        Where the vendor marks one of several as the main one, only that; else the
        record that was made first comes first.
        """

    def tied_to_all(
        self, object_type: str, ties: Sequence[Sequence[Association]]
    ) -> list[str | None]:
        """Return the id of the record that is tied to all of these, None for none.

        For objects that are known by what they are tied to; see `ObjectFacts`. Raises
        Unsupported for any other.
        """

    def told_ties(self, record: RemoteRecord, to_object: str) -> list[str] | None:
        """Return what a record that was read is tied to, where it tells. Pure.

        None where it does not: then `associations` must be asked.
        """

    def dissociate(
        self,
        from_object: str,
        ties: Sequence[tuple[str, Association]],
    ) -> list[SyncError | None]:
        """Take ties away, (from id, association) each. Safe to repeat."""

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

    def delete(self, object_type: str, ids: Sequence[str]) -> Mapping[str, SyncError]:
        """Move records to the vendor's recycle bin. Safe to repeat.

        Returns id -> why it stays there, of those that do.
        """

    def convert(self, conversions: Sequence[Conversion]) -> list[WriteResult]:
        """Convert leads; each result's fields: remote object -> id of what was made.

        Raises Unsupported where the vendor has no such step.
        """

    def parse_error(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> SyncError:
        """Name what an answer of 300 or more means. Pure."""

    def to_remote(self, value: object | None, field: RemoteField | None = None) -> str:
        """Write a value as the vendor wants it, "" = clear. Pure.

        Raises RecordRejected for a value the field cannot hold.
        """

    def from_remote(self, text: str | None, field: RemoteField) -> object | None:
        """Read a value as Python, None = empty, text where it is unreadable. Pure.

        `to_remote(from_remote(text))` is the one form of equal values: doing it again
        changes nothing, so two texts mean the same when their forms are equal.
        """


@runtime_checkable
class ReadsForms(Protocol):
    """A connector of a vendor with web forms; `VendorSpec.has_forms` says which."""

    def forms(self) -> tuple[RemoteForm, ...]:
        """List the forms that can be filled in."""

    def submissions(self, form_id: str, cursor: str | None) -> SubmissionPage:
        """Read one page of what was submitted, the newest first.

        A cursor stays good while more is submitted: a later page may then tell again
        what an earlier one told, and misses nothing. Raises RecordGone for no form.
        """
