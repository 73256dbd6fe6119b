"""Finding the operation that a path leads to."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

RouteT = TypeVar("RouteT")


class Patterns(Generic[RouteT]):
    """Path patterns by key. Literal segments win over parameters.

    A key is whatever must be the same, such as the method. In a pattern `{...}` are
    parameters; `{t...}` names an object and stays visible in the statistics. fold:
    literal segments match in any case.
    """

    def __init__(
        self, routes: Iterable[tuple[Hashable, str, RouteT]], *, fold: bool = False
    ) -> None:
        self._fold = fold
        self._routes: dict[tuple[Hashable, int], list[tuple[list[str], RouteT]]] = {}
        for key, pattern, route in routes:
            parts = [self._folded(part) for part in pattern.split("/") if part]
            self._routes.setdefault((key, len(parts)), []).append((parts, route))
        for found in self._routes.values():
            found.sort(key=lambda item: sum(part[0] == "{" for part in item[0]))

    def _folded(self, part: str) -> str:
        return part.lower() if self._fold and part[0] != "{" else part

    def matches(
        self, key: Hashable, rest: list[str]
    ) -> Iterator[tuple[RouteT, list[str], str]]:
        """Yield (route, parameters, path template), the most literal first."""
        for parts, route in self._routes.get((key, len(rest)), []):
            args = self._args(parts, rest)
            if args is not None:
                yield route, args, _template(parts, rest)

    def _args(self, parts: list[str], rest: list[str]) -> list[str] | None:
        args = []
        for part, given in zip(parts, rest, strict=True):
            if part[0] == "{":
                args.append(given)
            elif part != given and not (self._fold and part == given.lower()):
                return None
        return args


def _template(parts: list[str], rest: list[str]) -> str:
    shown = [
        given if part[0] != "{" or part.startswith("{t") else part
        for part, given in zip(parts, rest, strict=True)
    ]
    return "".join(f"/{part}" for part in shown)
