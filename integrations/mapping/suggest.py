"""Suggests what corresponds to what, from names and order.

PURE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from integrations.records import RemotePipeline, RemoteStage


@dataclass(frozen=True, slots=True)
class OurStage:
    """A stage of ours; outcome in the words of `leads.models.Stage.Outcome`."""

    id: int
    name: str
    pipeline: str
    outcome: Literal["open", "won", "lost"]


def match_stages(
    ours: Sequence[OurStage], pipelines: Sequence[RemotePipeline]
) -> dict[int, tuple[str, str]]:
    """Return our stage id -> (remote pipeline id, remote stage id).

    A pipeline of the same name wins over the first one. Within it a stage is matched by
    name, else by what it means (won, lost), else by its place among the open ones; our
    later open stages share the last remote one when there are more of ours.
    """
    if not pipelines:
        return {}
    found = {}
    by_pipeline: dict[str, list[OurStage]] = {}
    for stage in ours:
        by_pipeline.setdefault(stage.pipeline, []).append(stage)
    for name, stages in by_pipeline.items():
        remote = _same_name(name, pipelines) or pipelines[0]
        for ours_id, stage_id in _within(stages, remote).items():
            found[ours_id] = (remote.id, stage_id)
    return found


def _same_name(name: str, pipelines: Sequence[RemotePipeline]) -> RemotePipeline | None:
    return next((p for p in pipelines if p.label.casefold() == name.casefold()), None)


def _within(stages: Sequence[OurStage], remote: RemotePipeline) -> dict[int, str]:
    by_label = {stage.label.casefold(): stage.id for stage in remote.stages}
    open_ids = [stage.id for stage in remote.stages if not stage.closed]
    ends = {
        "won": _closing(remote.stages, won=True),
        "lost": _closing(remote.stages, won=False),
    }
    found = {}
    place = 0
    for stage in stages:
        by_name = by_label.get(stage.name.casefold())
        if stage.outcome != "open":
            target = by_name or ends[stage.outcome]
        else:
            target = by_name or (
                open_ids[min(place, len(open_ids) - 1)] if open_ids else None
            )
            place += 1
        if target:
            found[stage.id] = target
    return found


def _closing(stages: Sequence[RemoteStage], *, won: bool) -> str | None:
    closed = [stage for stage in stages if stage.closed]
    fitting = [stage for stage in closed if ((stage.probability or 0) > 0.5) == won]
    return fitting[0].id if fitting else None
