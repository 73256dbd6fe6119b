"""What crosses the connector border, the same for every vendor.

PURE. Values are text as the vendor stores it, or None; nothing here knows a
vendor, a model or a transport.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from integrations.errors import SyncError

FieldType = Literal[
    "text",
    "html",
    "phone",
    "number",
    "bool",
    "date",
    "datetime",
    "enum",
    "multi_enum",
    "owner",
    "file",
    "json",
]
Mode = Literal["update", "upsert", "create"]
Operator = Literal[
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "not_in", "has", "lacks", "contains"
]


@dataclass(frozen=True, slots=True)
class RemoteOption:
    """One choice of an enumeration; `value` is what is sent, `label` what is shown."""

    value: str
    label: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class RemoteField:
    """One property of a remote object.

    `restricted`: an enumeration that takes its options and nothing else. `refusal` is
    set only in the answer of `ensure_fields`: the field could not be made, or exists
    in a shape that does not serve. `scale`: digits after the point that a number there
    is defined with, None = any. `lower`: it is kept there in lower case.
    """

    name: str
    label: str
    type: FieldType
    options: tuple[RemoteOption, ...] = ()
    required: bool = False
    read_only: bool = False
    unique: bool = False
    max_length: int | None = None
    calculated: bool = False
    group: str = ""
    description: str = ""
    restricted: bool = False
    refusal: SyncError | None = None
    scale: int | None = None
    lower: bool = False


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """A record as the vendor has it. fields: name -> text, None = empty there.

    `became`: remote object -> id of what a converted or merged record is now, e.g.
    {"Contact": "003..."}; empty for one that is still itself. `other_ids`: ids of
    records that were merged into this one.
    """

    object_type: str
    remote_id: str
    fields: Mapping[str, str | None]
    updated_at: datetime | None = None
    archived: bool = False
    became: Mapping[str, str] = field(default_factory=dict)
    other_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Association:
    """A tie from the record being written to `to_id`.

    `type_id` None: the vendor's own tie between the two objects, and the main one where
    it marks one of several. `yields`: not the main one where another is that already.
    """

    to_object: str
    to_id: str
    type_id: int | None = None
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """One record to be written. `ref` is the caller's name for it, unique per call.

    With `remote_id` it is an update by id whatever `mode` says; else `mode` upserts
    by, or creates with, `key_field` = `key_value`.
    fields: remote name -> value, absent = unchanged, None = clear. clears_first: those
    of them whose vendor takes the value only once the field has been cleared.
    """

    ref: str
    object_type: str
    remote_id: str | None
    key_field: str | None
    key_value: str | None
    fields: Mapping[str, object | None]
    associations: tuple[Association, ...] = ()
    mode: Mode = "upsert"
    clears_first: tuple[str, ...] = ()

    @property
    def effective_mode(self) -> Mode:
        return "update" if self.remote_id else self.mode


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one Write.

    `error` None: written. With `remote_id` *and* `error` the record is written but
    something beside it (an association) is not. `created` None: not known.
    fields: name -> text as the vendor gave it back, {} when it gave nothing.
    `updated_at`: the record's own stamp after the write, None when not told.
    """

    ref: str
    remote_id: str | None
    created: bool | None
    fields: Mapping[str, str | None]
    error: SyncError | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where to go on; `cursor` None = that was all.

    read_at: when they began to be read, on our clock, where that is noted.
    """

    records: tuple[RemoteRecord, ...]
    cursor: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A record that is no longer there under its id.

    `merged_into`: the id that took it over, None when it was deleted.
    """

    object_type: str
    remote_id: str
    at: datetime | None = None
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class GonePage:
    """Some records that went, and where to go on; `cursor` None = that was all."""

    records: tuple[Gone, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a lead becomes when it is converted. Ids None: the vendor makes one.

    with_deal: a deal is made, too. Ours follows by itself once it is sent, so that one
    is made only where none of ours is to come.
    """

    remote_id: str
    contact_id: str | None = None
    company_id: str | None = None
    deal_name: str | None = None
    with_deal: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a search; a search joins its filters by AND.

    `value`: a tuple for in/not_in, ignored for has/lacks.
    """

    field: str
    operator: Operator
    value: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class RemoteOwner:
    """A person who can own records there."""

    id: str
    email: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class RemoteStage:
    """One step of a pipeline; `probability` 0 to 1, None = not given."""

    id: str
    label: str
    closed: bool
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class RemotePipeline:
    """A pipeline with its stages in order."""

    id: str
    label: str
    stages: tuple[RemoteStage, ...]


@dataclass(frozen=True, slots=True)
class RemoteForm:
    """A form that people fill in on a web page."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """One answer in a form. `object_id`: which object it is about, "" = not said."""

    name: str
    text: str
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that somebody sent. `id` "" and `at` None: the vendor did not say."""

    id: str
    at: datetime | None
    values: tuple[Submitted, ...]
    page: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionPage:
    """Some submissions, the newest first; `cursor` None = that was all."""

    submissions: tuple[Submission, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose data the token opens. `id` "" = the vendor did not say.

    user, user_id: as whom the vendor sees us, by name and by id.
    """

    id: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    token_expires_in_s: int | None = None
    user: str = ""
    user_id: str = ""
