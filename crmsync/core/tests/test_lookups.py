"""Long lists of values in a filter."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crmsync.core.models import Workspace

pytestmark = pytest.mark.django_db
MANY = 500


@pytest.fixture
def spaces() -> list[Workspace]:
    return [Workspace.objects.create(name=f"W{n}", slug=f"it's-{n}") for n in range(30)]


def test_many_numbers_and_many_texts_find_theirs(spaces: list[Workspace]) -> None:
    ids = [one.pk for one in spaces] + list(range(10**9, 10**9 + MANY))
    slugs = [one.slug for one in spaces] + [f"'{{,\"{n}\\" for n in range(MANY)]

    assert Workspace.objects.filter(pk__in=ids).count() == 30
    assert Workspace.objects.filter(slug__in=set(slugs)).count() == 30
    assert not Workspace.objects.exclude(slug__in=slugs).filter(pk__in=ids).exists()


def test_numbers_written_as_text_find_theirs(spaces: list[Workspace]) -> None:
    ids: list[Any] = [str(one.pk) for one in spaces]

    assert Workspace.objects.filter(pk__in=ids).count() == 30
    with pytest.raises(ValueError, match="expected a number"):
        Workspace.objects.filter(pk__in=["x"])


def test_none_among_them_is_nothing(spaces: list[Workspace]) -> None:
    ids: list[Any] = [None, *(one.pk for one in spaces)]

    assert Workspace.objects.filter(pk__in=ids).count() == 30
    assert Workspace.objects.filter(pk__in=[]).count() == 0


def test_numbers_that_no_column_holds_are_nobodys(spaces: list[Workspace]) -> None:
    ids = [one.pk for one in spaces]

    with_large = Workspace.objects.filter(pk__in=[*ids, 2**31, 2**62])
    assert with_large.count() == 30


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")
def test_many_values_are_one_parameter() -> None:
    with CaptureQueriesContext(connection) as queries:
        list(Workspace.objects.filter(pk__in=range(MANY)))
        list(Workspace.objects.filter(pk__in=[*range(MANY)]))

    assert [" = ANY(" in one["sql"] for one in queries] == [True, True]
