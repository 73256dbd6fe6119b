"""How people get in: there is no open sign-up, an admin invites."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Close sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: a stranger cannot make an account."""
        return False
