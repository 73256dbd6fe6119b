"""Which of their stages is which of ours."""

from __future__ import annotations

import pytest

from integrations.mapping.suggest import OurStage, match_stages
from integrations.records import RemotePipeline, RemoteStage


def stages(*names: str, pipeline: str = "Sales") -> list[OurStage]:
    outcomes = {"Won": "won", "Lost": "lost"}
    return [
        OurStage(number, name, pipeline, outcomes.get(name, "open"))  # type: ignore[arg-type]
        for number, name in enumerate(names, start=1)
    ]


OPEN = (RemoteStage("a", "First talk", closed=False, probability=0.2),)
NEXT = (RemoteStage("b", "Offer", closed=False, probability=0.6),)
ENDS = (
    RemoteStage("w", "Closed won", closed=True, probability=1.0),
    RemoteStage("l", "Closed lost", closed=True, probability=0.0),
)
DEFAULT = RemotePipeline("default", "Their pipeline", OPEN + NEXT + ENDS)


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        (stages("New", "Proposal"), {1: "a", 2: "b"}),
        (stages("Offer", "New"), {1: "b", 2: "b"}),
        (stages("New", "OFFER"), {1: "a", 2: "b"}),
        (stages("One", "Two", "Three", "Four"), {1: "a", 2: "b", 3: "b", 4: "b"}),
        (stages("New", "Won", "Lost"), {1: "a", 2: "w", 3: "l"}),
        (stages("Won", "New"), {1: "w", 2: "a"}),
    ],
)
def test_stage_is_matched_by_name_then_meaning_then_place(
    ours: list[OurStage], found: dict[int, str]
) -> None:
    assert match_stages(ours, [DEFAULT]) == {
        number: ("default", stage) for number, stage in found.items()
    }


def test_pipeline_of_the_same_name_wins_over_the_first() -> None:
    sales = RemotePipeline("s1", "SALES", OPEN)

    assert match_stages(stages("New"), [DEFAULT, sales]) == {1: ("s1", "a")}


def test_stage_without_a_counterpart_is_left_out() -> None:
    only_open = RemotePipeline("p", "Only open", OPEN)

    assert match_stages(stages("New", "Won", "Lost"), [only_open]) == {1: ("p", "a")}


def test_account_without_pipelines_gives_nothing() -> None:
    assert match_stages(stages("New"), []) == {}


def test_closed_stage_without_a_probability_counts_as_lost() -> None:
    lost = RemoteStage("x", "Closed", closed=True, probability=None)

    found = match_stages(stages("Won", "Lost"), [RemotePipeline("p", "P", (lost,))])

    assert found == {2: ("p", "x")}
