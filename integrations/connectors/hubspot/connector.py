"""HubSpot through one HttpClient: which call for which wish, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.connectors.batches import settle
from integrations.connectors.http import Answer, Call, HttpClient
from integrations.connectors.hubspot import answers, errors, searching, values, writing
from integrations.connectors.hubspot.answers import Sent
from integrations.connectors.hubspot.spec import (
    PRIVATE_APP_PREFIX,
    SPEC,
    object_facts,
)
from integrations.connectors.paging import chunks, walk
from integrations.connectors.spec import VendorSpec, VersionStyle
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    RecordGone,
    RecordRejected,
    SyncError,
    Unsupported,
)
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

Tie = tuple[str, Association]


class HubSpotConnector:
    """One HubSpot account. See `Connector` for what the methods promise.

    versions: path family -> "numbered" (default) or "dated".
    """

    spec: VendorSpec = SPEC

    def __init__(
        self, http: HttpClient, versions: Mapping[str, VersionStyle] | None = None
    ) -> None:
        self._http = http
        self._versions = dict(versions or {})

    # Facts about the account

    def check(self) -> Account:
        """Ask what the token says of itself; where that is not told, just use it."""
        token = self._http.token()
        private = token.startswith(PRIVATE_APP_PREFIX)
        try:
            return _account(self._private_info(token) if private else self._info(token))
        except (RecordGone, RecordRejected, Unsupported):
            # A token of another kind is unknown there; whether it opens the door
            # is seen at the door.
            self._get("objects", "/contacts", {"limit": "1"})
            return Account(id="")

    def describe(self, object_type: str) -> tuple[RemoteField, ...]:
        shown = [e for e in self._properties(object_type) if not e.get("hidden")]
        required = object_facts(object_type).required
        fields = (values.remote_field(entry, required) for entry in shown)
        return tuple(field for field in fields if field.name)

    def owners(self) -> tuple[RemoteOwner, ...]:
        return tuple(walk(self._owners_page))

    def pipelines(self, object_type: str) -> tuple[RemotePipeline, ...]:
        if not object_facts(object_type).has_pipelines:
            return ()
        body = self._get("pipelines", f"/{object_type}")
        return tuple(answers.pipeline(entry) for entry in answers.entries(body))

    # Writing

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
        results = settle(
            writing.batches(prepared),
            lambda batch: self._write_batch(object_type, batch),
            _refused,
            blamed=writing.blamed,
        )
        by_ref = {result.ref: result for result in done + results}
        self._tie(object_type, writes, by_ref)
        return [by_ref[write.ref] for write in writes]

    def delete(self, object_type: str, ids: Sequence[str]) -> None:
        for chunk in chunks(ids, SPEC.batch.write):
            inputs = [{"id": one} for one in chunk]
            path = f"/{object_type}/batch/archive"
            self._post("objects", path, {"inputs": inputs}, len(inputs), object_type)

    # Reading

    def fetch(
        self,
        object_type: str,
        ids: Sequence[str],
        *,
        fields: Sequence[str],
        key_field: str | None = None,
    ) -> list[RemoteRecord]:
        found: list[RemoteRecord] = []
        asked = list(dict.fromkeys(one for one in ids if one))
        for chunk in chunks(asked, SPEC.batch.read):
            body = searching.read_body(chunk, fields, key_field)
            path = f"/{object_type}/batch/read"
            answer = self._post("objects", path, body, len(chunk), object_type)
            found += answers.records(answer.body, object_type)
        return found

    def search(
        self,
        object_type: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        limit: int,
        *,
        cursor: str | None = None,
    ) -> Page:
        body = searching.search_body(filters, fields, limit, cursor)
        found = self._search(object_type, body)
        return Page(
            tuple(answers.records(found, object_type)), answers.next_after(found)
        )

    def changed_since(
        self,
        object_type: str,
        since: datetime,
        until: datetime,
        cursor: str | None,
        fields: Sequence[str],
    ) -> Page:
        facts = object_facts(object_type)
        body = searching.delta_body(facts.modified_field, since, until, cursor, fields)
        found = answers.records(self._search(object_type, body), object_type)
        return searching.delta_page(found)

    # Associations

    def associations(
        self, from_object: str, to_object: str, ids: Sequence[str]
    ) -> dict[str, list[str]]:
        ties: dict[str, list[str]] = {one: [] for one in ids}
        path = f"/{from_object}/{to_object}/batch/read"
        for chunk in chunks(list(ties), SPEC.batch.associations_read):
            inputs: list[dict[str, str]] = [{"id": one} for one in chunk]
            while inputs:
                answer = self._post(
                    "associations", path, {"inputs": inputs}, len(inputs), from_object
                )
                inputs = searching.collect_ties(answer.body, ties)
        return ties

    def associate(
        self, from_object: str, ties: Sequence[Tie]
    ) -> list[SyncError | None]:
        groups: dict[tuple[str, int | None], list[int]] = {}
        for number, (_, tie) in enumerate(ties):
            groups.setdefault((tie.to_object, tie.type_id), []).append(number)
        outcome: dict[int, SyncError | None] = {}
        for (to_object, type_id), members in groups.items():
            send = self._associator(from_object, to_object, type_id, ties)
            cut = chunks(members, SPEC.batch.associations_write)
            outcome |= dict(settle(cut, send, lambda one, error: (one, error)))
        return [outcome[number] for number in range(len(ties))]

    # Set-up

    def ensure_fields(
        self, object_type: str, fields: Sequence[RemoteField]
    ) -> tuple[RemoteField, ...]:
        """Make the fields that are missing; return each as it now is.

        One call each: a refusal then names its field, and this is set-up, not sync.
        """
        there = self._fields_by_name(object_type)
        missing = [field for field in fields if field.name not in there]
        for group in dict.fromkeys(field.group for field in missing):
            self._ensure_group(object_type, group or SPEC.own_key.group)
        made = {field.name: self._make_field(object_type, field) for field in missing}
        return tuple(
            made.get(field.name) or _serving(field, there[field.name])
            for field in fields
        )

    # Pure hooks of the protocol

    def parse_error(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> SyncError:
        return errors.parse_error(status, headers, body)

    def to_remote(self, value: object | None, field: RemoteField | None = None) -> str:
        return values.to_remote(value, field)

    # Parts of the above

    def _info(self, token: str) -> Mapping[str, object]:
        path = self._path("oauth_token_info") + "/{token}"
        return self._http.request(Call("GET", path, values={"token": token})).body

    def _private_info(self, token: str) -> Mapping[str, object]:
        return self._post("private_token_info", "", {"tokenKey": token}, 0, "").body

    def _properties(self, object_type: str) -> list[answers.Json]:
        return answers.entries(self._get("properties", f"/{object_type}"))

    def _owners_page(self, cursor: str | None) -> tuple[list[RemoteOwner], str | None]:
        query = {"limit": "100"} | ({"after": cursor} if cursor else {})
        body = self._get("owners", "/", query)
        found = [answers.owner(entry) for entry in answers.entries(body)]
        return found, answers.next_after(body)

    def _fields_by_name(self, object_type: str) -> dict[str, RemoteField]:
        fields = (values.remote_field(e) for e in self._properties(object_type))
        return {field.name: field for field in fields}

    def _ensure_group(self, object_type: str, group: str) -> None:
        label = SPEC.own_key.group_label if group == SPEC.own_key.group else group
        body = {"name": group, "label": label, "displayOrder": -1}
        try:
            self._post("properties", f"/{object_type}/groups", body, 1, object_type)
        except (DuplicateFound, RecordRejected):
            # Already there; if it is not, making the field says so.
            return

    def _make_field(self, object_type: str, field: RemoteField) -> RemoteField:
        group = field.group or SPEC.own_key.group
        try:
            body = values.new_property(field, group)
            answer = self._post("properties", f"/{object_type}", body, 1, object_type)
        except KeyError:
            kind = Unsupported(f"HubSpot has no {field.type} field", field=field.name)
            return replace(field, refusal=kind)
        except DuplicateFound:
            # Somebody made it in the same moment.
            there = self._fields_by_name(object_type).get(field.name)
            return _serving(field, there) if there else field
        except (RecordRejected, Misconfigured) as error:
            return replace(field, refusal=error)
        return _serving(field, values.remote_field(answer.body))

    def _write_batch(
        self, object_type: str, batch: Sequence[Sent]
    ) -> list[WriteResult]:
        mode = batch[0].write.effective_mode
        answer = self._post(
            "objects",
            f"/{object_type}/batch/{mode}",
            writing.body_of(batch),
            len(batch),
            object_type,
            repeatable=mode != "create",
        )
        return answers.written(batch, answer.body, object_type)

    def _tie(
        self, object_type: str, writes: Sequence[Write], by_ref: dict[str, WriteResult]
    ) -> None:
        """Make the associations that did not go with the create."""
        ties: list[Tie] = []
        owners: list[str] = []
        for write in writes:
            remote_id = by_ref[write.ref].remote_id
            if by_ref[write.ref].error is not None or remote_id is None:
                continue
            sent = writing.inline(write)
            late = [tie for tie in write.associations if tie not in sent]
            ties += [(remote_id, tie) for tie in late]
            owners += [write.ref] * len(late)
        if not ties:
            return
        try:
            outcome = self.associate(object_type, ties)
        except SyncError as error:
            # The records are written; only their ties are not.
            outcome = [error] * len(ties)
        for ref, failure in zip(owners, outcome, strict=True):
            if failure is not None:
                by_ref[ref] = replace(by_ref[ref], error=failure)

    def _associator(
        self, from_object: str, to_object: str, number: int | None, ties: Sequence[Tie]
    ) -> Callable[[Sequence[int]], list[tuple[int, SyncError | None]]]:
        """Return what makes the ties with these positions, in one call."""
        verb = "associate/default" if number is None else "create"
        path = f"/{from_object}/{to_object}/batch/{verb}"

        def send(members: Sequence[int]) -> list[tuple[int, SyncError | None]]:
            pairs = [(ties[one][0], ties[one][1].to_id) for one in members]
            body = {"inputs": writing.tie_inputs(pairs, number)}
            answer = self._post("associations", path, body, len(pairs), from_object)
            refusals = answers.tie_refusals(pairs, answer.body)
            return list(zip(members, refusals, strict=True))

        return send

    # Calls

    def _path(self, family: str) -> str:
        return SPEC.paths[family][self._versions.get(family, "numbered")]

    def _get(
        self, family: str, path: str, query: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        return self._http.request(
            Call("GET", self._path(family) + path, query=query)
        ).body

    def _search(self, object_type: str, body: object) -> Mapping[str, object]:
        path = f"/{object_type}/search"
        return self._post("objects", path, body, 1, object_type, bucket="search").body

    def _post(
        self,
        family: str,
        path: str,
        body: object,
        inputs: int,
        object_type: str,
        *,
        repeatable: bool = True,
        bucket: str = "api",
    ) -> Answer:
        return self._http.request(
            Call(
                "POST",
                self._path(family) + path,
                json=body,
                inputs=inputs,
                object_type=object_type,
                repeatable=repeatable,
                bucket=bucket,
            )
        )


def _account(info: Mapping[str, object]) -> Account:
    """Read either kind of token information; they differ in the spelling of keys."""
    scopes = info.get("scopes")
    expires_in = info.get("expires_in")
    return Account(
        id=values.clean(info.get("hub_id") or info.get("hubId")) or "",
        name=values.clean(info.get("hub_domain")) or "",
        scopes=tuple(s for s in scopes if isinstance(s, str))
        if isinstance(scopes, list)
        else (),
        token_expires_in_s=expires_in if isinstance(expires_in, int) else None,
        user=values.clean(info.get("user")) or "",
    )


def _refused(sent: Sent, error: SyncError) -> WriteResult:
    if isinstance(error, RecordRejected) and not error.value:
        # HubSpot names the property and not always what was in it.
        error.value = sent.properties.get(error.field, "")
    return answers.refused(sent.write, error)


def _serving(wanted: RemoteField, there: RemoteField) -> RemoteField:
    """Return the field that is there, with a refusal when it does not serve."""
    problem = ""
    if wanted.unique and not there.unique:
        # Uniqueness cannot be switched on later.
        problem = "exists, but its values are not unique"
    elif wanted.type != there.type:
        problem = f"exists as {there.type}, not {wanted.type}"
    if not problem:
        return there
    refusal = Misconfigured(
        f"{there.name} {problem}", vendor=errors.VENDOR, field=there.name
    )
    return replace(there, refusal=refusal)
