"""Everything that waits: one row per thing to do, and channels that share it out."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models.workspace import Workspace


class Channel(models.Model):
    """A queue of its own, so that a busy one cannot starve the others.

    A connection is a channel; work without a connection has its workspace's. The
    channel with the lowest `vtime` (work given to it so far) is served next, and in it
    the lane that `lanes` names. See `breaker` for what the breaker's columns mean.
    """

    class Breaker(models.TextChoices):
        """Whether calls are made at all after many have failed."""

        CLOSED = "closed", "Working"
        OPEN = "open", "Stopped after many failures"
        HALF = "half", "Trying one at a time"

    name = models.CharField(max_length=60, unique=True)
    vtime = models.BigIntegerField(default=0)
    # How many leases may be out at once: the vendor's concurrency limit.
    cap = models.PositiveIntegerField(default=4)
    paused_until = models.DateTimeField(null=True, blank=True)
    # Set while nothing may be sent at all, e.g. "reconnect HubSpot".
    blocked_because = models.CharField(max_length=200, blank=True)
    # Only the urgent lane is served until then: the rest of a budget is kept for it.
    batch_paused_until = models.DateTimeField(null=True, blank=True)
    # How often in a row we were slowed down without being told for how long.
    slowed = models.PositiveSmallIntegerField(default=0)
    lane_turns = models.JSONField(default=list, blank=True)

    breaker = models.CharField(
        max_length=6, choices=Breaker.choices, default=Breaker.CLOSED
    )
    breaker_until = models.DateTimeField(null=True, blank=True)
    breaker_opened = models.PositiveSmallIntegerField(default=0)
    breaker_failures = models.PositiveIntegerField(default=0)
    breaker_successes = models.PositiveIntegerField(default=0)
    breaker_ramp = models.PositiveSmallIntegerField(default=0)
    window_since = models.DateTimeField(null=True, blank=True)
    window_calls = models.PositiveIntegerField(default=0)
    window_failed = models.PositiveIntegerField(default=0)

    # The vendor's daily budget as last told, None where it has none.
    daily_used = models.PositiveIntegerField(null=True, blank=True)
    daily_limit = models.PositiveIntegerField(null=True, blank=True)
    daily_reset_at = models.DateTimeField(null=True, blank=True)
    daily_seen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """Where a work item stands."""

    READY = "ready", "Waiting for its turn"
    LEASED = "leased", "Being worked on"
    WAITING = "waiting", "Waiting for something else"
    PARKED = "parked", "Failed, needs a person"
    DONE = "done", "Done"


class WorkItem(models.Model):
    """Something that must happen; (kind, key) names it however often it is asked for.

    Asking again for one that is unfinished raises `wanted` and changes nothing else, so
    a hundred edits are one push. Each ask ends in exactly one of the four counters:
    wanted = applied + coalesced + skipped + dead + (what still waits).
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="work_items", db_index=False
    )
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=120)
    # No index by channel alone: a planner would take it, and read a backlog to find
    # what is due.
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, db_index=False)
    # Items of one group can share a call, e.g. the id of their object mapping.
    group = models.CharField(max_length=40, blank=True)
    lane = models.PositiveSmallIntegerField(default=0)
    # The run this is part of; its counters follow what becomes of the item.
    run = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    not_before = models.DateTimeField()
    waits_for = models.CharField(max_length=120, blank=True)

    wanted = models.PositiveIntegerField(default=1)
    applied = models.PositiveIntegerField(default=0)
    coalesced = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    dead = models.PositiveIntegerField(default=0)

    attempts = models.PositiveIntegerField(default=0)
    rescues = models.PositiveIntegerField(default=0)
    lease_token = models.BigIntegerField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    leased_wanted = models.PositiveIntegerField(default=0)

    error_class = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_field = models.CharField(max_length=120, blank=True)
    error = models.TextField(blank=True)
    # Which records the error is about, where a person has to choose among them.
    error_about = models.JSONField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    # When the first of the tries failed that have all failed since.
    failing_since = models.DateTimeField(null=True, blank=True)

    trace_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="one_item_per_key")
        ]
        indexes = [
            models.Index(
                fields=["kind", "channel", "group", "lane", "not_before", "id"],
                name="work_ready_by_kind",
                condition=models.Q(state=State.READY),
            ),
            # To see whether anything is due without looking into each group.
            models.Index(
                fields=["kind", "channel", "lane", "not_before"],
                name="work_ready_by_lane",
                condition=models.Q(state=State.READY),
            ),
            models.Index(
                fields=["leased_until"],
                name="work_leased",
                condition=models.Q(state=State.LEASED),
            ),
            models.Index(
                fields=["waits_for"],
                name="work_waiting",
                condition=models.Q(state=State.WAITING),
            ),
            models.Index(
                fields=["run", "state"],
                name="work_of_run",
                condition=models.Q(run__isnull=False),
            ),
            models.Index(
                fields=["workspace", "-failed_at"],
                name="work_failed",
                condition=models.Q(failed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
