"""Salesforce's outbound messages and change events, and what is neither."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from integrations.errors import SignatureInvalid
from integrations.webhooks import samples
from integrations.webhooks.base import Hint, Malformed, RawRequest
from integrations.webhooks.envelope import Refused, judge
from integrations.webhooks.sources.salesforce import Salesforce
from integrations.webhooks.sources.salesforce_events import long_id, same_id
from integrations.webhooks.xml import MAX_DEPTH, read_xml

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORG = samples.ACCOUNTS["salesforce"]
SOURCE = Salesforce()
MESSAGE = samples.body_of("salesforce", "outbound_message")


def judged(
    body: bytes,
    *,
    account: str = ORG,
    secrets: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
) -> str:
    request = RawRequest("POST", headers or {}, body, NOW)
    return judge(SOURCE, secrets, request, now=NOW, account=account)


# --- who it is from -------------------------------------------------------------------


@pytest.mark.parametrize("account", ["00D8x000001AbCdEAK", "00D8x000001AbCd"])
def test_an_org_is_known_by_either_form_of_its_id(account: str) -> None:
    assert judged(MESSAGE, account=account)


@pytest.mark.parametrize("account", ["", "00D8x000001abcd", "00D8x0000099999AAA", "x"])
@pytest.mark.parametrize("case", ["outbound_message", "event_bus"])
def test_another_org_is_refused(case: str, account: str) -> None:
    with pytest.raises(Refused) as refusal:
        judged(samples.body_of("salesforce", case), account=account)

    assert (refusal.value.status, refusal.value.code) == (403, "wrong_account")


def test_a_message_without_an_org_is_refused() -> None:
    body = MESSAGE.replace(ORG.encode(), b"")

    with pytest.raises(Refused, match="another account"):
        judged(body)


def test_where_a_secret_is_set_it_has_to_be_in_the_header() -> None:
    body = samples.body_of("salesforce", "lead_changed")
    header = {"x-crmsync-secret": "quite secret"}

    judged(body, secrets=("old", "quite secret"), headers=header)

    for given in ({}, {"x-crmsync-secret": ""}, {"x-crmsync-secret": "é"}):
        with pytest.raises(Refused) as refusal:
            judged(body, secrets=("quite secret",), headers=given)
        assert refusal.value.status == 401


def test_a_message_does_not_get_round_the_secret() -> None:
    with pytest.raises(Refused, match="secret"):
        judged(MESSAGE, secrets=("quite secret",))


def test_no_secret_at_all_verifies_nothing() -> None:
    with pytest.raises(SignatureInvalid):
        SOURCE.verify(RawRequest("POST", {}, b"", NOW), [], NOW)


# --- outbound messages ----------------------------------------------------------------


def test_the_session_of_a_user_is_not_kept() -> None:
    body = samples.body_of("salesforce", "outbound_session")
    assert b"invented.session" in body

    kept = SOURCE.storable(body)

    assert b"invented.session" not in kept
    assert SOURCE.read(kept) == SOURCE.read(body)


@pytest.mark.parametrize(
    "element",
    [
        b"<ns1:SessionId>00D!token</ns1:SessionId>",
        b'<SessionId a="b">\n00D!token\n</SessionId>',
        b"<SessionId>00D!token",
    ],
)
def test_a_session_is_found_however_it_is_written(element: bytes) -> None:
    assert b"token" not in SOURCE.storable(b"<a>" + element + b"</a>")


def test_json_is_kept_as_it_came() -> None:
    body = b'{"note": "<SessionId>text</SessionId>"}'

    assert SOURCE.storable(body) == body


def test_a_message_is_acknowledged_in_its_own_form() -> None:
    receipt = SOURCE.receipt(RawRequest("POST", {}, b"\xef\xbb\xbf \n" + MESSAGE, NOW))

    assert receipt is not None
    assert receipt.content_type.startswith("text/xml")
    answer = read_xml(receipt.body)
    told = answer.find("Body", "notificationsResponse")
    assert told is not None
    assert told.text_at("Ack") == "true"


def test_a_change_event_is_answered_as_anybody() -> None:
    body = samples.body_of("salesforce", "lead_changed")

    assert SOURCE.receipt(RawRequest("POST", {}, body, NOW)) is None


def test_a_notification_sent_again_with_newer_values_is_the_same() -> None:
    newer = MESSAGE.replace(b"zoe@example.com", b"zoe.new@example.com")

    assert judged(MESSAGE) == judged(newer)
    assert judged(MESSAGE) != judged(MESSAGE.replace(b"04l8x00000Note1", b"04l8x0x"))


# --- what is neither ------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Envelope><Body><notifications>&c;</notifications></Body></Envelope>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hosts">]>
<Envelope><Body>&x;</Body></Envelope>"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b'<!DOCTYPE a SYSTEM "https://example.com/x.dtd"><a/>', "document type"),
        (b"<a>&undefined;</a>", "not XML"),
        (b"<a>" * (MAX_DEPTH + 2), "deeper"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "elements"),
        (b"<a></b>", "not XML"),
        (b"<a>\xff</a>", "not XML"),
        (b"<a>&#0;</a>", "not XML"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "not XML|no outbound"),
        (b"<", "not XML"),
        (b"<a/>", "no outbound message"),
        (b"<Envelope><Body/></Envelope>", "no outbound message"),
    ],
)
def test_xml_that_is_hostile_or_something_else_is_refused(
    body: bytes, words: str
) -> None:
    with pytest.raises(Malformed, match=words):
        SOURCE.read(body)


def test_a_message_of_many_notifications_is_refused() -> None:
    start = MESSAGE.index(b"   <Notification>")
    end = MESSAGE.index(b"  </notifications>")
    one = MESSAGE[start:end]

    with pytest.raises(Refused, match="more than 1000"):
        judged(MESSAGE[:start] + one * 501 + MESSAGE[end:])


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"ChangeEventHeader": 1}',
        b'{"payload": {"payload": {"payload": {"payload": {"payload": {}}}}}}',
        json.dumps([{"ChangeEventHeader": {}}] * 1001).encode(),
    ],
)
def test_json_without_change_events_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        judged(body)

    assert refusal.value.code == "unexpected_payload"


# --- ids ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "long"),
    [
        # Published examples of the vendor's documentation.
        ("001D000000IqhSL", "001D000000IqhSLIAZ"),
        ("00D000000000062", "00D000000000062EAA"),
        ("aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaAAA"),
        ("ABCDEABCDEABCDE", "ABCDEABCDEABCDE555"),
    ],
)
def test_the_long_form_of_an_id(short: str, long: str) -> None:
    assert long_id(short) == long
    assert long_id(long) == long
    assert same_id(short, long)


@pytest.mark.parametrize("text", ["", "001", "001D000000IqhS!", "é" * 15, "0" * 16])
def test_what_is_no_id(text: str) -> None:
    assert long_id(text) == ""
    assert not same_id(text, text)


# --- when and what --------------------------------------------------------------------


def hints(body: bytes) -> list[Hint]:
    payload = SOURCE.read(body)
    return SOURCE.hints(payload, account=ORG, received_at=NOW)


def test_a_message_with_the_stamp_of_its_record_says_when() -> None:
    stamp = b"<sf:Email>zoe@example.com</sf:Email>"
    told = b"<sf:SystemModstamp>2026-11-20T09:00:00.000Z</sf:SystemModstamp>"

    first, second = hints(MESSAGE.replace(stamp, stamp + told))

    assert first.at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert second.at is None


def test_the_lines_in_which_a_long_text_differs_are_no_value() -> None:
    header = {
        "entityName": "Lead",
        "recordIds": ["00Q8x00000Lead1EAB"],
        "changeType": "UPDATE",
        "commitTimestamp": 1779032656979,
        "changedFields": ["Description", "Title"],
        "diffFields": ["Description"],
    }
    event = {"ChangeEventHeader": header, "Description": "--- a", "Title": "Head"}

    (hint,) = hints(json.dumps(event).encode())

    assert hint.fields == {"Title": "Head"}
