"""What the error list shows of a submitted form that fits several people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from integrations.models import HeldSubmission, ObjectMapping
from integrations.sync import held_forms
from leads.facts import PersonFacts
from leads.matching import normal_linkedin
from leads.models.lead import lead_linkedin_url


def submitter(key: str) -> tuple[ObjectMapping, PersonFacts] | None:
    """Return who submitted the form of a row, by its key; None once it is in.

    No mapping brought it in: the one returned is stored nowhere and only says where it
    is from, and that it is about a lead.
    """
    rows = HeldSubmission.objects.select_related("form__connection", "workspace")
    row = rows.filter(pk=key).first()
    if row is None:
        return None
    mapping = ObjectMapping(
        workspace=row.workspace,
        connection=row.form.connection,
        record_type="lead",
        remote_object=f"form {row.form}",
    )
    return mapping, held_forms.message_of_held(row, row.form).person


def said(person: PersonFacts, names: Iterable[str]) -> Mapping[str, str]:
    """Return what somebody said, field -> text, the way a lead of ours has it."""
    profile = lead_linkedin_url(normal_linkedin(person.linkedin))
    return {
        name: profile if name == "linkedin_url" else str(getattr(person, name))
        for name in names
    }
