"""What a run did on each side, or a dry run would do, as numbers with their words.

PURE but for the run it reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.models import ObjectMapping, Run
from integrations.progress import Tone, counted

Kind = Run.Kind


@dataclass(frozen=True, slots=True)
class Effect:
    """What was or would be done, on each side. None: cannot happen there."""

    name: str
    label: str
    there: int | None
    here: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """One number beside the effects. outcome: the journal's word for such records."""

    label: str
    value: int
    outcome: str = ""
    tone: Tone = "idle"


_EFFECTS = (
    ("created", "Created"),
    ("updated", "Updated"),
    ("cleared", "Emptied a field"),
)


def effects_of(run: Run) -> list[Effect]:
    """Return what a run did on each side, or a dry run would do."""
    counts = counted(run) if run.kind == Kind.DRY else None
    direction = run.mapping.direction
    sends = direction != ObjectMapping.Direction.PULL
    takes = direction != ObjectMapping.Direction.PUSH

    def number(name: str) -> int:
        return counts.get(name, 0) if counts is not None else getattr(run, name)

    return [
        Effect(
            name,
            label,
            number(name) if sends or number(name) else None,
            number(f"{name}_here") if takes or number(f"{name}_here") else None,
        )
        for name, label in _EFFECTS
    ]


def counts_of(run: Run) -> list[Count]:
    """Return the other numbers of a run; those that cannot occur are left out."""
    if run.kind == Kind.DRY:
        counts = counted(run)
        return [
            Count("Already the same", counts.get("unchanged", 0)),
            Count("Left out by the mapping", counts.get("skipped", 0)),
            Count("Held for a decision", counts.get("held", 0), tone="warn"),
        ]
    if run.kind == Kind.AUDIT:
        return _audited(run)
    if run.kind == Kind.REVERT:
        return _reverted(run)
    return [
        Count("Found and linked", run.linked, "linked"),
        Count("Already the same", run.unchanged),
        Count("Left out by the mapping", run.excluded, "excluded"),
        Count("Held for a decision", run.held, "held", "warn"),
        Count("Deleted or unlinked", run.deleted, "deleted", "warn"),
        Count("Failed", run.failed, "failed", "bad"),
    ]


def _audited(run: Run) -> list[Count]:
    counts = counted(run)
    drifted = counts.get("drifted", 0)
    return [
        Count("Compared", counts.get("checked", 0)),
        Count("Differed", drifted, tone="warn" if drifted else "ok"),
    ]


def _reverted(run: Run) -> list[Count]:
    counts = counted(run)
    return [
        Count(f"Put back in {run.connection}", counts.get("put_back_there", 0)),
        Count("Put back here", counts.get("put_back_here", 0)),
        Count("Changed since, left", counts.get("changed_since", 0)),
        Count("Failed", counts.get("failed", 0), "failed", "bad"),
    ]


@dataclass(frozen=True, slots=True)
class Drift:
    """What an audit found. needs_person: too much to be mended unasked."""

    checked: int
    drifted: int
    needs_person: bool

    @property
    def percent(self) -> str:
        """Return the share that differed, for people.

        >>> Drift(5000, 1, needs_person=False).percent
        '0.02 %'
        """
        share = 100 * self.drifted / self.checked if self.checked else 0.0
        return f"{share:.2f} %" if 0 < share < 1 else f"{share:.0f} %"


def drift_of(run: Run) -> Drift:
    """Return what an audit has found so far."""
    counts = counted(run)
    needs_person = bool(run.cursor.get("needs_person"))
    return Drift(counts.get("checked", 0), counts.get("drifted", 0), needs_person)
