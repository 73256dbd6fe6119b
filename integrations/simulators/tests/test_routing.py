"""Finding routes: literal segments first, parameters in order, templates."""

import pytest

from integrations.simulators.routing import Patterns

ROUTES = [
    ("GET", "{type}/{id}", "read"),
    ("GET", "{type}/search", "search"),
    ("POST", "{type}/{id}", "write"),
    ("GET", "Things/{id}/parts/{part}", "part"),
]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("contacts/7", ("read", ["contacts", "7"], "/contacts/{id}")),
        ("contacts/search", ("search", ["contacts"], "/contacts/search")),
        ("Things/7/parts/8", ("part", ["7", "8"], "/Things/{id}/parts/{part}")),
        ("things/7/parts/8", None),
        ("contacts", None),
    ],
)
def test_the_most_literal_route_wins(path, found) -> None:
    matches = Patterns(ROUTES).matches("GET", path.split("/"))

    assert next(matches, None) == found


def test_literals_may_match_in_any_case() -> None:
    (found,) = Patterns(ROUTES, fold=True).matches("GET", ["THINGS", "7", "Parts", "X"])

    assert found == ("part", ["7", "X"], "/THINGS/{id}/Parts/{part}")
