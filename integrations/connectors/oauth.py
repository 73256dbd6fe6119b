"""Access tokens of stored connections."""

from __future__ import annotations

from integrations.errors import ReauthRequired
from integrations.models import OAuthToken


class StoredToken:
    """Gives the access token of a connection to whoever calls its vendor."""

    def __init__(self, connection_id: int) -> None:
        self.connection_id = connection_id

    def __call__(self, refused: str | None = None) -> str:
        """Return the token to use now. Raises ReauthRequired when there is none."""
        token = OAuthToken.objects.filter(pk=self.connection_id).first()
        if token is None or (refused and refused == token.access):
            raise ReauthRequired("The connection has no valid token.")
        return str(token.access)
