"""Merging, parting and deleting records by hand."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import Workspace
from crmsync.core.roles import Role
from integrations.tests.pages.conftest import SignIn
from leads.models import Company, Lead, Merge
from leads.testing import make_company, make_lead

pytestmark = pytest.mark.usefixtures("inside")


def test_the_other_record_is_found_by_its_name(
    admin: Client, workspace: Workspace
) -> None:
    record = make_lead(workspace, first_name="Ada", last_name="Lark")
    other = make_lead(workspace, first_name="Ada", last_name="Finch")

    page = admin.get(reverse("lead-merge", args=[record.pk]), {"q": "ada"})

    assert f'name="loser_id" value="{other.pk}"' in page.content.decode()
    assert f'name="loser_id" value="{record.pk}"' not in page.content.decode()


def test_two_records_are_merged_and_parted_again(
    admin: Client, workspace: Workspace
) -> None:
    record, other = make_company(workspace), make_company(workspace, city="Oslo")
    page = reverse("company-merge", args=[record.pk])

    admin.post(page, {"loser_id": other.pk})
    merged = list(Company.objects.all())
    offered = admin.get(page).content.decode()
    undo = reverse("merge-undo", args=[Merge.objects.get().pk])
    admin.post(undo)

    assert merged == [record]
    assert undo in offered
    assert set(Company.objects.all()) == {record, other}
    assert undo not in admin.get(page).content.decode()


@pytest.mark.parametrize("loser", ["", "0", "x", "²", "9" * 30, "itself"])
def test_a_choice_that_is_none_is_refused_in_words(
    admin: Client, workspace: Workspace, loser: str
) -> None:
    record = make_lead(workspace)
    given = str(record.pk) if loser == "itself" else loser

    answer = admin.post(
        reverse("lead-merge", args=[record.pk]), {"loser_id": given}, follow=True
    )

    assert answer.status_code == 200
    assert [str(one.level_tag) for one in answer.context["messages"]] == ["error"]
    assert not Merge.objects.exists()


def test_a_merge_that_cannot_be_taken_back_says_why(
    admin: Client, workspace: Workspace
) -> None:
    record, other = make_lead(workspace), make_lead(workspace, city="Oslo")
    admin.post(reverse("lead-merge", args=[record.pk]), {"loser_id": other.pk})
    Lead.objects.filter(pk=record.pk).update(city="Rome")

    answer = admin.post(
        reverse("merge-undo", args=[Merge.objects.get().pk]), follow=True
    )

    *_, told = answer.context["messages"]
    assert "changed since: city" in str(told)


def test_a_record_is_deleted(admin: Client, workspace: Workspace) -> None:
    lead = make_lead(workspace)

    answer = admin.post(reverse("lead-delete", args=[lead.pk]))

    assert answer["Location"] == reverse("leads")
    assert not Lead.objects.exists()


@pytest.mark.parametrize("name", ["lead-delete", "lead-merge"])
def test_a_rep_may_not(sign_in: SignIn, workspace: Workspace, name: str) -> None:
    lead, other = make_lead(workspace), make_lead(workspace)

    answer = sign_in(Role.REP).post(
        reverse(name, args=[lead.pk]), {"loser_id": other.pk}
    )

    assert answer.status_code == 403
    assert Lead.objects.count() == 2


def test_only_who_may_is_offered_it(sign_in: SignIn, workspace: Workspace) -> None:
    edit = reverse("lead-edit", args=[make_lead(workspace).pk])

    seen = {
        role: "Merge or delete" in sign_in(role).get(edit).content.decode()
        for role in (Role.REP, Role.SALES_OPS)
    }

    assert seen == {Role.REP: False, Role.SALES_OPS: True}
