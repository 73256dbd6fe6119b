"""Values that a CRM refuses, for real, and what has to wait for them."""

from __future__ import annotations

from crmsync.core.models import User, Workspace
from integrations.demo.cast import Cast
from leads.facts import Origin
from leads.services import records
from leads.services.records import Edit

# Taken by us, not by the CRM.
_UNKNOWN_LANGUAGE = "gsw"
_LANGUAGES = ("en", "de", "fr")


def give_languages(workspace: Workspace, cast: Cast) -> None:
    """Note a language for some leads, for a few of them one the CRM refuses."""
    origin = Origin("import", label="Imported list")
    edits = [
        Edit(one.pk, {"custom": {"language": _LANGUAGES[one.pk % len(_LANGUAGES)]}})
        for one in cast.speaks
    ]
    edits += [
        Edit(one.pk, {"custom": {"language": _UNKNOWN_LANGUAGE}})
        for one in cast.speaks_oddly
    ]
    records.update(workspace, "lead", edits, origin=origin)


def add_by_hand(workspace: Workspace, rep: User) -> None:
    """Add a person whom the CRM refuses, so that the note has nobody to go to."""
    origin = Origin("user", str(rep.pk), str(rep))
    (lead,) = records.create(
        workspace,
        "lead",
        [
            {
                "first_name": "Reto",
                "last_name": "Alder",
                "email": "reto.alder@bracken-tools.example.com",
                "company_name": "Bracken Tools",
                "job_title": "Head of Purchasing",
                "owner_id": rep.pk,
                "custom": {"language": _UNKNOWN_LANGUAGE},
            }
        ],
        origin=origin,
    )
    note = {
        "kind": "note",
        "lead_id": lead.pk,
        "body": "Met at the fair. Wants a call, in Swiss German.",
        "owner_id": rep.pk,
    }
    records.create(workspace, "activity", [note], origin=origin)
