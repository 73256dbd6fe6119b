"""Takes one row of a mapping out of use when the CRM no longer has its field.

The sync of everything else goes on; the row waits for a person, or for the field to be
back when the account is described again.
"""

from __future__ import annotations

import logging

from django.db.models import F

from integrations.errors import Misconfigured, SyncError
from integrations.models import FieldMapping, ObjectMapping, RemoteSchema
from integrations.sync.asking_setup import queue_setup

log = logging.getLogger(__name__)


def is_about_a_row(mapping: ObjectMapping, error: SyncError) -> bool:
    """Suspend the row an error is about; tell whether trying again makes sense now.

    The account is described again, so that pages show what it has by now.
    """
    if not isinstance(error, Misconfigured) or not error.field:
        return False
    rows = FieldMapping.objects.filter(mapping=mapping, destination=error.field)
    told = error.message or f"The CRM has no field {error.field} in this form."
    open_ = rows.filter(active=True, suspended_because="")
    if open_.update(suspended_because=told[:300]):
        ObjectMapping.objects.filter(pk=mapping.pk).update(version=F("version") + 1)
        queue_setup(mapping.connection)
        log.warning(
            "field mapping suspended",
            extra={"mapping": mapping.pk, "remote_field": error.field},
        )
        return True
    # Another record of the batch was refused for the same field a moment ago.
    return rows.filter(active=True).exclude(suspended_because="").exists()


def resume_found(mapping: ObjectMapping) -> int:
    """Bring rows back whose field the CRM has again; return how many."""
    schema = RemoteSchema.objects.filter(
        connection=mapping.connection, object_type=mapping.remote_object
    ).first()
    names = [field["name"] for field in schema.fields] if schema else []
    rows = FieldMapping.objects.filter(mapping=mapping, destination__in=names)
    # Described a moment ago: a field that is listed and refused all the same stays out.
    return rows.exclude(suspended_because="").update(suspended_because="")
