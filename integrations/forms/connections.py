"""Forms of connections: a name, a token, and the account's address where it has one."""

from __future__ import annotations

from typing import Any

from django import forms

from integrations.connectors import CONNECTORS, hosts


class TokenForm(forms.Form):
    """What connects an account without OAuth. The token is never shown again."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        required=False,
        help_text="How your team calls this account. Empty: the vendor’s name.",
    )
    api_url = forms.CharField(
        label="Address of your account",
        max_length=200,
        required=False,
        help_text="Where your team signs in.",
    )
    token = forms.CharField(
        label="Access token",
        max_length=500,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="From the private app’s page, tab Auth. It is stored encrypted.",
    )

    def __init__(self, *args: Any, vendor: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suffixes = CONNECTORS[vendor].spec.host_suffixes
        if not suffixes or hosts.api_url(vendor):
            del self.fields["api_url"]
            return
        example = f"https://example{suffixes[0]}"
        self.fields["api_url"].widget.attrs["placeholder"] = example
        self.fields["token"].help_text = "It is stored encrypted."


class ReconnectForm(TokenForm):
    """A new token for an account that is known."""

    name = None  # type: ignore[assignment]
