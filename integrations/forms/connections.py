"""Forms of connections: a name and a private app's token."""

from __future__ import annotations

from django import forms


class TokenForm(forms.Form):
    """What connects an account without OAuth. The token is never shown again."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        required=False,
        help_text="How your team calls this account. Empty: the vendor’s name.",
    )
    token = forms.CharField(
        label="Access token",
        max_length=500,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="From the private app’s page, tab Auth. It is stored encrypted.",
    )


class ReconnectForm(TokenForm):
    """A new token for an account that is known."""

    name = None  # type: ignore[assignment]
