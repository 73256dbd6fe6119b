"""Which hosts a token may be sent to."""

from typing import Any

import pytest

from integrations.connectors import hosts
from integrations.errors import Misconfigured

ORG = "https://example.my.salesforce.com"


@pytest.fixture(autouse=True)
def _defaults(settings: Any) -> None:
    settings.SALESFORCE_AUTH_URL = "https://login.salesforce.com"
    settings.SALESFORCE_API_URL = ""


@pytest.mark.parametrize(
    "given",
    [
        ORG,
        f"{ORG}/",
        f"  {ORG}/lightning/o/Lead/list?filter=all ",
        "example.my.salesforce.com",
        "HTTPS://Example.MY.salesforce.com",
        f"{ORG}:443",
    ],
)
def test_an_orgs_own_address_is_taken_without_what_follows(given: str) -> None:
    assert hosts.accepted("salesforce", given) == ORG


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://",
        "http://example.my.salesforce.com",
        "https://example.com",
        "https://my.salesforce.com.example.com",
        "https://examplemy.salesforce.com.example.com/.my.salesforce.com",
        "https://example.com/#.my.salesforce.com",
        "https://example.com?x=.my.salesforce.com",
        "https://user:pass@example.my.salesforce.com",
        "https://example.com\\@example.my.salesforce.com",
        "https://example.my.salesforce.com:8443",
        "https://example.my.salesforce.com:0",
        "https://example.my.salesforce.com:99999",
        "https://example.my.salesforce.com.",
        "https://exam ple.my.salesforce.com",
        "https://example.my.salesforce.com\r\nHost: example.com",
        "https://exämple.my.salesforce.com",
        "https://%65xample.my.salesforce.com",
        "https://example.lightning.force.com",
        "https://example.secure.force.com",
        "http://127.0.0.1:8000",
        "https://169.254.169.254",
        "https://[::1]",
        "file:///etc/passwd",
        "https://" + "a" * 300 + ".my.salesforce.com",
    ],
)
def test_any_other_address_is_refused_before_a_token_is_sent(given: str) -> None:
    with pytest.raises(hosts.UntrustedHost):
        hosts.accepted("salesforce", given)


def test_the_host_of_a_setting_is_taken_and_no_other_port_of_it(settings: Any) -> None:
    settings.SALESFORCE_AUTH_URL = "http://127.0.0.1:9001/"

    assert hosts.accepted("salesforce", "http://127.0.0.1:9001/x") == (
        "http://127.0.0.1:9001"
    )
    with pytest.raises(hosts.UntrustedHost):
        hosts.accepted("salesforce", "http://127.0.0.1:9002")


def test_a_setting_stands_above_the_accounts_own_host(settings: Any) -> None:
    assert hosts.called_at("salesforce", ORG) == ORG

    settings.SALESFORCE_API_URL = "https://sandbox.example.com"

    assert hosts.called_at("salesforce", ORG) == "https://sandbox.example.com"


def test_an_account_without_a_host_is_not_called_anywhere() -> None:
    with pytest.raises(Misconfigured):
        hosts.called_at("salesforce", "")


def test_a_vendor_with_one_host_for_all_takes_none() -> None:
    assert not hosts.has_own("hubspot")
    with pytest.raises(hosts.UntrustedHost):
        hosts.accepted("hubspot", "https://example.hubspot.com")
