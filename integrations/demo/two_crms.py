"""The story of the two CRMs: connected, compared, and edited on both sides since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from crmsync.core.models import User, Workspace
from crmsync.core.services import Actor
from integrations.demo import beforehand, both_sides, crm, runs, trouble, working
from integrations.demo.cast import cast
from integrations.demo.crm import Crm
from integrations.demo.people import Person
from integrations.sync import pull


def tell(
    workspace: Workspace,
    crms: Mapping[str, Crm],
    team: Sequence[User],
    strangers: Sequence[Person],
    *,
    now: datetime,
) -> None:
    """Play it through, by the product's own services. team: admin, sales ops, rep."""
    _, ops, rep = team
    actor, parts = Actor(user=ops), cast()
    crm.arrange(workspace, crms, actor)
    beforehand.fill(crms, parts, strangers)
    runs.compare_and_fill(crms, actor)
    working.work()
    runs.collect_tasks(crms, actor)
    runs.do_some_tasks(Actor(user=rep))
    crm.map_more(workspace, crms, actor)
    trouble.give_languages(workspace, parts)
    both_sides.Morning(workspace, crms, rep=rep, now=now).play(parts)
    pull.ask_due()
    working.work()
    runs.send_contacts(crms, actor)
    runs.foresee_companies(crms, actor)
    runs.send_batch(crms, actor)
    both_sides.decide_some(ops)
    trouble.add_by_hand(workspace, rep)
    working.finish_runs()
    runs.do_some_tasks(Actor(user=rep))
