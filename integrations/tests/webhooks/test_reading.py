"""JSON, times and texts from people who promised nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.webhooks import reading
from integrations.webhooks.base import Malformed
from integrations.webhooks.reading import as_time, read_json
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.text import MAX_TEXT, readable

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"a\u0000b"', "ab"),
        (b'"a\x00b"', "ab"),
        (rb'"\ud800!"', "\ufffd!"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'{"k\u0000": ["\udc00"]}', {"k": ["\ufffd"]}),
        (b"NaN", None),
        (b"[Infinity, -Infinity]", [None, None]),
        (b"1e400", Decimal("1e400")),
        (b"0.1", Decimal("0.1")),
        (b"1.10", Decimal("1.10")),
        (b"9007199254740993", 9007199254740993),
        (b"1e99999999999999999999", None),
        (DIGITS.encode(), DIGITS),
        (b'\xef\xbb\xbf{"bom": true}', {"bom": True}),
        (b'{"twice": 1, "twice": 2}', {"twice": 2}),
        (b'"new\nline"', "new\nline"),
    ],
)
def test_json_a_database_would_refuse_is_read(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'"\xc3\x28"', "not UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"<html>", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" * 500 + b"]" * 500, "nested"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested"),
    ],
)
def test_what_is_no_json_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read_json(body)


def test_many_flat_lists_are_not_nested() -> None:
    body = b"[" + b",".join([b"[1]"] * 10_000) + b"]"

    assert read_json(body) == [[1]] * 10_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1779032656979, "2026-05-17T15:44:16.979000+00:00"),
        (1779032656, "2026-05-17T15:44:16+00:00"),
        ("1779032656979", "2026-05-17T15:44:16.979000+00:00"),
        (Decimal("1779032656.5"), "2026-05-17T15:44:16.500000+00:00"),
        ("2026-05-17T15:44:16Z", "2026-05-17T15:44:16+00:00"),
        ("2026-05-17T17:44:16+02:00", "2026-05-17T15:44:16+00:00"),
        ("2026-05-17T15:44:16", "2026-05-17T15:44:16+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00"),
        ("2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00+00:00"),
    ],
)
def test_a_time_is_read_in_its_usual_forms(value: object, expected: str) -> None:
    assert as_time(value, fallback=NOON).isoformat() == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "2026-02-30",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        0,
        -1,
        True,
        10**300,
        Decimal("1e999999999"),
        Decimal("-1e999999999"),
        "9" * 5000,
        "１２３",
        [],
        {},
    ],
)
def test_an_absurd_time_is_the_time_of_receipt(value: object) -> None:
    assert as_time(value, fallback=NOON) == NOON


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    [
        *("leadId", "messageId", "lead", "sender", "message", "person", "createdAt"),
        *("id", "received", "messageBody", "campaign", "thread", "proEmail", "name"),
    ]
)
_PAYLOADS = st.dictionaries(_NAMES, _JSON | st.dictionaries(_NAMES, _JSON))
_PORTAL = 4100001
_EVENT_NAMES = st.sampled_from(
    [
        *("objectId", "eventId", "occurredAt", "propertyName", "propertyValue"),
        *("mergedObjectIds", "newObjectId", "primaryObjectId", "toObjectId"),
        *("objectTypeId", "fromObjectId", "changeSource"),
    ]
)
_TYPES = st.sampled_from(
    ["contact.merge", "object.creation", "deal.associationChange", "company.deletion"]
)
_HUBSPOT = st.lists(
    st.builds(
        lambda event, what: {**event, "portalId": _PORTAL, "subscriptionType": what},
        st.dictionaries(_EVENT_NAMES, _JSON),
        _TYPES | _JSON,
    )
    | _JSON
)
_HEADER_NAMES = st.sampled_from(
    [
        *("entityName", "recordIds", "recordId", "changeType", "changeOrigin"),
        *("commitTimestamp", "changedFields", "nulledFields", "transactionKey"),
    ]
)
_CHANGE = st.builds(
    lambda header, values: {**values, "ChangeEventHeader": header},
    st.dictionaries(_HEADER_NAMES, _JSON | st.lists(st.text())),
    st.dictionaries(st.text(), _JSON),
)
_SALESFORCE = _CHANGE | st.lists(_CHANGE | _JSON) | _JSON
_HINTED = {"hubspot": _HUBSPOT, "salesforce": _SALESFORCE}


@pytest.mark.parametrize("name", sorted(_HINTED))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_payload_makes_a_source_of_hints_raise(
    name: str, data: st.DataObject
) -> None:
    source, payload = SOURCES[name], data.draw(_HINTED[name])
    account = {"hubspot": str(_PORTAL), "salesforce": "00D8x000001AbCdEAK"}[name]

    source.refuses(payload)
    source.is_about(payload, account)
    assert len(source.dedupe_key(payload, b"")) == 64
    hints = source.hints(payload, account=account, received_at=NOON)

    for hint in hints:
        assert len(hint.remote_object) <= 80
        assert len(hint.remote_id) <= 25
        assert len(hint.origin) <= 60
        assert hint.at is not None
        assert hint.at.tzinfo is not None


@pytest.mark.parametrize("name", sorted(set(SOURCES) - set(_HINTED)))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(payload=_PAYLOADS)
def test_no_payload_makes_a_source_raise_anything_but_malformed(
    name: str, payload: dict[str, object]
) -> None:
    source = SOURCES[name]
    source.refuses(payload)
    assert len(source.dedupe_key(payload, b"")) == 64
    try:
        [message] = source.parse(payload, trace_id="t", received_at=NOON)
    except Malformed:
        return
    assert len(message.key) <= 200
    assert message.occurred_at.tzinfo is not None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<p>Fish &amp; chips &lt;3&nbsp;!</p>", "Fish & chips <3 !"),
        ("<style>p{}</style><script>x('<p>')</script><p>Hi</p>", "Hi"),
        ("<!-- <p>secret</p> --><p>Hi</p>", "Hi"),
        ("<p>Hi</p><!-- never closed <p>there</p>", "Hi\n\nnever closed\nthere"),
        (
            "<p>Yes</p><blockquote>Old <blockquote>older</blockquote></blockquote>",
            "Yes",
        ),
        ('<div>Yes</div><div class="x gmail_quote">Old<div>er</div></div>', "Yes"),
        ('<p>Yes</p><div id="divRplyFwdMsg">From: me</div><p>Old</p>', "Yes"),
        ("<p>Yes</p><p>On Mon, Sam wrote:</p><p>Old</p>", "Yes"),
        ("<blockquote>Only a quote</blockquote>", "Only a quote"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("a < b and c > d", "a < b and c > d"),
        ("line\n\n\n\nline  two ", "line\n\nline two"),
        ("<p>&#0;&#xD800;&#" + DIGITS + ";ok</p>", "\ufffd\ufffdok"),
        ("", ""),
    ],
)
def test_html_becomes_what_was_newly_written(body: str, text: str) -> None:
    assert readable(body) == text


@pytest.mark.parametrize(
    "piece",
    [
        *("<a", "<", "<!--", "</p", "<p ", "&#1", "&", "<blockquote>", "<div class="),
        *("-->", '<a href="', "<script>", "<![CDATA[", "<?", "\n", " ", "x\x00"),
    ],
)
def test_hostile_html_takes_no_longer_than_other(piece: str) -> None:
    body = "<p>" + piece * (400_000 // len(piece))

    began = time.process_time()
    text = readable(body, is_html=True)

    # The library's parser needs minutes for some of these.
    assert time.process_time() - began < 5
    assert len(text) <= MAX_TEXT


def test_names_are_found_however_they_are_spelt() -> None:
    flat = reading.flattened({"Lead": {"first_name": "Ada"}, "lead-id": 7})

    assert flat == {"lead.firstname": "Ada", "leadid": 7}
