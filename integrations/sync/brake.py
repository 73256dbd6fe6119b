"""Stops a change of very many records before the first of them, for a person's word.

A brake is of one kind of change under one mapping, as polls see it or pushes make it.
What its run lists is what an approval is about; what comes later is asked about anew,
and nothing else of the mapping waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from crmsync.core import queue
from integrations.models import Link, ObjectMapping, Run
from integrations.sync.calls import Braked

# What comes within so long is counted together, however little comes at once.
WINDOW = timedelta(hours=1)
# A person's no is kept as long as the same changes may be read again.
REFUSED_FOR = timedelta(days=1)
SHOWN = 20
# In `Run.cursor`: the ids that a run was stopped for.
LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many pass without a question: so many, and so large a share of the linked."""

    free: int
    share: float

    def is_passed(self, count: int, *, of: int) -> bool:
        """Tell whether a change is so large that a person must approve it.

        >>> DELETED.is_passed(20, of=100), DELETED.is_passed(21, of=100)
        (False, True)
        >>> CLEARED.is_passed(5, of=19), CLEARED.is_passed(6, of=19)
        (False, True)
        """
        return count > max(self.free, of * self.share)


DELETED = Limit(free=20, share=0.02)
# A deletion is seen on its record and can be undone for months; an emptied field is
# seen by nobody. By hand people empty a few; more at once is a script or an import.
CLEARED = Limit(free=5, share=0.10)


@dataclass(frozen=True, slots=True)
class Brake:
    """One kind of change under one mapping.

    kind: of the runs that wait for a person's word; told: what such a run says.
    """

    mapping: ObjectMapping
    kind: Run.Kind
    change: Run.MassChange
    limit: Limit
    told: str

    def withheld(
        self,
        ids: Sequence[str],
        *,
        done: Callable[[], Collection[str]],
        coming: Callable[[], Collection[str]] = frozenset,
    ) -> list[str]:
        """Return which of ids must wait, since too many come that nobody approved.

        done: ids it was done to within WINDOW; coming: those it will be done to soon.
        """
        approved = self.approved()
        new = [one for one in ids if one not in approved]
        if not new:
            return []
        before = set(done())
        counted = {*new, *listed(self.stopped()), *before, *coming()} - approved
        of = links_of(self.mapping) + len(before)
        return new if self.limit.is_passed(len(counted), of=of) else []

    def hold(self, ids: Sequence[str], samples: Sequence[dict[str, object]]) -> Run:
        """List what waits in the run that is stopped for it; return that run."""
        run = self.stopped() or self._made()
        told = list(dict.fromkeys([*listed(run), *ids]))
        run.cursor[LISTED] = told
        shown = [*run.samples, *samples]
        put_aside(run, self.change, len(told), shown, told=self.told)
        return run

    def stopped(self) -> Run | None:
        """Return the run that waits for a person's word."""
        return self._runs().filter(state=Run.State.STOPPED).first()

    def approved(self) -> set[str]:
        """Return the ids a person approved within the time that is counted together.

        What is approved of a comparison holds for polls as well.
        """
        pushed = Q(kind=Run.Kind.MANUAL)
        rows = self._all().filter(pushed if self.kind == Run.Kind.MANUAL else ~pushed)
        recent = Q(finished_at=None) | Q(finished_at__gte=queue.now() - WINDOW)
        return _ids(rows.filter(recent, approved=True))

    def refused(self) -> set[str]:
        """Return the ids a person said no to a short while ago."""
        since = queue.now() - REFUSED_FOR
        rows = self._runs().filter(state=Run.State.CANCELLED, finished_at__gte=since)
        return _ids(rows)

    def to_carry_out(self) -> QuerySet[Run]:
        """Return the runs that a person approved and that are not over."""
        return self._runs().filter(approved=True, finished_at=None)

    def _runs(self) -> QuerySet[Run]:
        return self._all().filter(kind=self.kind)

    def _all(self) -> QuerySet[Run]:
        return Run.objects.filter(mapping=self.mapping, mass_change=self.change)

    def _made(self) -> Run:
        polled = self.kind == Run.Kind.PULL
        return Run.objects.create(
            workspace_id=self.mapping.workspace_id,
            connection=self.mapping.connection,
            mapping=self.mapping,
            kind=self.kind,
            direction="pull" if polled else "push",
            # The rows of a push are all there; the run only has to wait for their end.
            cursor={} if polled else {"begun_all": True},
            started_at=queue.now(),
        )


def listed(run: Run | None) -> list[str]:
    """Return the ids that a run was stopped for."""
    found = run.cursor.get(LISTED) if run is not None else None
    return [str(one) for one in found] if isinstance(found, list) else []


def _ids(runs: Iterable[Run]) -> set[str]:
    return {one for run in runs for one in listed(run)}


def links_of(mapping: ObjectMapping) -> int:
    """Return how many records are linked under a mapping."""
    rows = Link.objects.of(mapping).filter(state=Link.State.LINKED)
    return rows.count()


def stop(
    run: Run,
    change: Run.MassChange,
    count: int,
    samples: Sequence[dict[str, object]],
    *,
    told: str,
) -> None:
    """Put a run aside until a person approves a change of so many. Raises Braked."""
    put_aside(run, change, count, samples, told=told)
    raise Braked(f"{run.message} Approve it on the page of the run, or cancel it.")


def put_aside(
    run: Run,
    change: Run.MassChange,
    count: int,
    samples: Sequence[dict[str, object]],
    *,
    told: str,
) -> None:
    """Let a run wait until a person approves it; what it is about to do is kept."""
    run.state, run.message = Run.State.STOPPED, told.format(count)
    run.mass_change, run.mass_count = change, count
    run.samples = list(samples[:SHOWN])
    names = ["state", "message", "mass_change", "mass_count", "samples", "cursor"]
    run.save(update_fields=names)
