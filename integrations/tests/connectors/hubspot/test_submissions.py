"""Forms and submissions are read as they come, and nothing about them is believed."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.connectors.hubspot import forms
from integrations.connectors.hubspot.calls import Calls
from integrations.errors import Retryable, Unsupported


class Answering(Calls):
    """Calls that are answered by hand."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = list(bodies)
        self.queries: list[object] = []
        self._versions = {}

    def get(self, path: str, query: Any = None, **_: Any) -> Any:
        self.queries.append((path, query))
        return self.bodies.pop(0)


def test_forms_come_page_by_page_without_the_archived() -> None:
    calls = Answering(
        {
            "results": [{"id": "a-1", "name": "One"}, {"id": "b", "archived": True}],
            "paging": {"next": {"after": "x"}},
        },
        {"results": [{"id": "c", "name": None}, {"name": "no id"}, "text"]},
    )

    found = forms.forms(calls)

    assert [(one.id, one.name) for one in found] == [("a-1", "One"), ("c", "c")]
    assert calls.queries[1] == ("/marketing/v3/forms", {"limit": "100", "after": "x"})


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {"a": 1}}])
def test_answer_without_a_list_is_an_error(body: Any) -> None:
    with pytest.raises(Retryable):
        forms.submissions(Answering(body), "a-1", None)


def test_odd_values_are_read_as_far_as_they_say_something() -> None:
    entry = {
        "conversionId": 7,
        "submittedAt": True,
        "values": [{"name": "email", "value": ["x"]}, 5, {"name": "n", "value": 3}],
        "pageUrl": {},
    }

    [one] = forms.submissions(Answering({"results": [entry]}), "a-1", None).submissions

    assert (one.id, one.at, one.page) == ("7", None, "")
    assert [(v.name, v.text) for v in one.values] == [("email", ""), ("n", "3")]


@pytest.mark.parametrize("at", [10**30, -1e300, "soon", None, [1], float("nan")])
def test_time_that_is_none_is_not_known(at: object) -> None:
    body = {"results": [{"submittedAt": at}]}

    [one] = forms.submissions(Answering(body), "a-1", None).submissions

    assert one.at is None


def test_id_that_leads_elsewhere_is_not_called() -> None:
    with pytest.raises(Unsupported):
        forms.submissions(Answering(), "../../x", None)
