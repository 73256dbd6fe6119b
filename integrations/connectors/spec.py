"""The shape of what we know about a vendor: facts as data, no behaviour.

PURE. Each vendor fills these in its own `spec.py`, naming the document a value
came from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

VersionStyle = Literal["numbered", "dated"]


@dataclass(frozen=True, slots=True)
class OAuthFacts:
    """How a connection is granted. Paths are joined to the hosts in settings.

    `pkce` False: the vendor documents none, so no challenge is sent.
    `refresh_rotates` None: not known; keep whatever each answer brings.
    `pinned_path`: authorize_path for one `{account}` only; "" = there is none.
    `account_field`: where the token answer names the account; "" = it does not.
    `identity_field`: where it holds an address that ends in account and user id.
    `host_field`: where it names the account's own API host. `token_host`: the setting
    that holds the host of token calls, after the vendor's name. `revoke_secret`: a
    revocation proves whose app asks. `introspects`: where the answer tells no lifetime,
    `introspect_path` does.
    """

    authorize_path: str
    token_path: str
    introspect_path: str
    revoke_path: str
    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    pkce: bool = False
    token_lifetime_s: int | None = None
    refresh_rotates: bool | None = None
    pinned_path: str = ""
    account_field: str = ""
    identity_field: str = ""
    host_field: str = ""
    token_host: Literal["API_URL", "AUTH_URL"] = "API_URL"
    revoke_secret: bool = True
    introspects: bool = False


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`amount` calls in any `per_s` seconds, for everything in `bucket`."""

    bucket: str
    amount: int
    per_s: int
    source: str


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """Response headers that tell the true limit of `bucket`; "" = none exists."""

    bucket: str
    amount: str = ""
    remaining: str = ""
    interval_ms: str = ""


@dataclass(frozen=True, slots=True)
class DailyHeaders:
    """Response headers that tell a daily budget.

    Either `limit` and `remaining`, or `usage`: one header in which `pattern` finds the
    calls used and the limit.
    """

    limit: str = ""
    remaining: str = ""
    usage: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """The most inputs one call may carry.

    `bulk`: records of one job, for a vendor with a bulk interface; 0 = it has none;
    `bulk_from`: how many must wait for a job to be worth it.
    `write` of the connector takes that many at once and chooses by itself.
    """

    read: int
    write: int
    associations_read: int
    associations_write: int
    bulk: int = 0
    bulk_from: int = 2000


@dataclass(frozen=True, slots=True)
class SearchCaps:
    """What one search may ask for."""

    page: int
    total: int
    filters: int
    body_chars: int


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """One remote object.

    `keys`: fields a record may be upserted by, the preferred first.
    `modified_field`: what a delta filters on. `required`: needed on create.
    `stage_field`, `pipeline_field`: where it stands in which pipeline; "" = has none.
    `has_page`: a record of it has a page of its own there. `known_by_ties`: it is one
    of its kind between the records that it is tied to; a second is refused. `batch`:
    the most inputs of one call, 0 = as many as elsewhere.
    """

    name: str
    label: str
    type_id: str
    keys: tuple[str, ...]
    modified_field: str
    required: tuple[str, ...] = ()
    has_pipelines: bool = False
    docs: str = ""
    stage_field: str = ""
    pipeline_field: str = ""
    has_page: bool = False
    known_by_ties: bool = False
    batch: int = 0

    def key_for(self, fields: Mapping[str, object]) -> tuple[str, str] | None:
        """Return the preferred key that has a value here, as (field, value)."""
        for name in self.keys:
            if value := fields.get(name):
                return name, str(value)
        return None


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The unique field we keep our own id in, made at set-up."""

    name: str
    label: str
    group: str
    group_label: str
    description: str


@dataclass(frozen=True, slots=True)
class VendorSpec:
    """Everything about one vendor that is data.

    `paths`: family -> style -> path, the version chosen per family.
    `associations`: (from object, to object) -> default association type id.
    `main_ties`: (object, other object) -> id of the association type that marks the
    one of several others that it belongs to in the first place.
    `limits`: kind of access ("oauth", "token") -> what holds until headers say more.
    `daily`: where answers tell the daily budget, None where there is none.
    `concurrency`: calls of one account under way at once.
    `record_page`: where a person sees a record, with {host}, {account}, {object},
    {type_id} and {id}; "" = nowhere. `page_host`: the setting that holds {host};
    "" = the account's own API host.
    `host_suffixes`: what the host of an account ends with, where each has its own;
    () = all are called at the host in settings. `references`: (object, other object)
    -> the field of the former that holds the id of the latter. `no_ties`: pairs of
    objects that the vendor knows no tie between. `becomes`: (object, what converting
    it makes) -> the field of the former that holds the id of the latter.
    `forward_only`: (object, field) whose value only moves forward in the order of its
    options; it is put back by clearing it first. `has_forms`: its connector
    `ReadsForms`.
    """

    name: str
    label: str
    oauth: OAuthFacts | None
    paths: Mapping[str, Mapping[VersionStyle, str]]
    objects: Mapping[str, ObjectFacts]
    associations: Mapping[tuple[str, str], int]
    batch: BatchSizes
    search: SearchCaps
    limits: Mapping[str, tuple[RateLimit, ...]]
    rate_headers: tuple[RateHeaders, ...]
    own_key: OwnKey
    docs: Mapping[str, str]
    concurrency: int = 4
    daily: DailyHeaders | None = None
    record_page: str = ""
    page_host: str = ""
    host_suffixes: tuple[str, ...] = ()
    references: Mapping[tuple[str, str], str] = field(default_factory=dict)
    no_ties: frozenset[tuple[str, str]] = frozenset()
    main_ties: Mapping[tuple[str, str], int] = field(default_factory=dict)
    forward_only: frozenset[tuple[str, str]] = frozenset()
    becomes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    has_forms: bool = False
