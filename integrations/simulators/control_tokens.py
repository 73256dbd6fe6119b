"""Controls for tokens: which there are, and letting them expire or be revoked."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.simulators.wire import Json, Request
from integrations.simulators.world import World

Handler = Callable[[Request, list[str]], Any]


class TokenControl:
    """Answers /__sim/tokens, /__sim/expire-tokens and /__sim/revoke.

    fixed_token: reads a token that never expires and what it grants from a body;
    raises ControlError.
    """

    def __init__(
        self,
        world: World[Any, Any, Any],
        fixed_token: Callable[[Json], tuple[str, Json]],
    ) -> None:
        self._world = world
        self._fixed_token = fixed_token

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return (method, name) -> handler."""
        return {
            ("GET", "tokens"): self.show,
            ("POST", "tokens"): self.add,
            ("DELETE", "tokens"): self.remove,
            ("POST", "expire-tokens"): self.expire,
            ("POST", "revoke"): self.revoke,
        }

    def show(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/tokens: the fixed ones, and how many OAuth tokens live."""
        world = self._world
        with world.lock:
            return {
                world.fixed: world.documents(world.fixed),
                "access": len(world.documents("access")),
                "refresh": len(world.documents("refresh")),
            }

    def add(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/tokens {token, ...}: a token that never expires."""
        with self._world.lock:
            token, grant = self._fixed_token(request.object())
            self._world.put(self._world.fixed, token, grant)
            self._world.commit()
        return self.show(request, rest)

    def remove(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/tokens/{token}."""
        with self._world.lock:
            self._world.put(self._world.fixed, rest[0] if rest else "", None)
            self._world.commit()
        return self.show(request, rest)

    def expire(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/expire-tokens: every OAuth access token expires now."""
        with self._world.lock:
            for token, found in list(self._world.documents("access").items()):
                expired = found | {"expires_at": self._world.now() - 1}
                self._world.put("access", token, expired)
            self._world.commit()
        return self.show(request, rest)

    def revoke(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/revoke: the app is let out; no OAuth token works any more."""
        with self._world.lock:
            for kind in ("access", "refresh", "codes"):
                for token in list(self._world.documents(kind)):
                    self._world.put(kind, token, None)
            self._world.commit()
        return self.show(request, rest)
