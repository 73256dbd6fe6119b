"""Every index is paid for by each row that is written: none repeats another."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import models

OURS = ("core", "leads", "integrations")
MODELS = [one for app in OURS for one in apps.get_app_config(app).get_models()]


@pytest.mark.parametrize("model", MODELS, ids=lambda one: str(one._meta.label))
def test_no_foreign_key_has_an_index_that_another_begins_with(
    model: type[models.Model],
) -> None:
    meta: Any = model._meta
    whole = [one.fields for one in meta.indexes if not one.condition]
    whole += [
        one.fields
        for one in meta.constraints
        if isinstance(one, models.UniqueConstraint) and not one.condition
    ]
    begins = {names[0].lstrip("-") for names in whole if names}
    keys = [one for one in meta.local_fields if one.many_to_one and one.db_index]
    twice = [one.name for one in keys if one.name in begins]
    assert not twice, f"give these db_index=False: {twice}"
