"""The mapping page for two ways: directions, rules, times, and the way back."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from crmsync.core.models import Workspace
from crmsync.core.services import Actor, Refused
from integrations.models import FieldMapping, ObjectMapping, RemoteSchema, Run
from integrations.services.mappings import change_mapping, row_values
from integrations.testing import make_connection, make_link, make_mapping
from integrations.tests.pages.test_mapping import FIELDS, rows

pytestmark = pytest.mark.usefixtures("inside")
SETTINGS = {
    "direction": "both",
    "mode": "batch",
    "schedule": "daily 06:30",
    "deletes": "propagate",
    "pull_every_s": 900,
    "overlap_s": 21600,
    "reconcile_every_h": 168,
    "creates": False,
}


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=FIELDS
    )
    return make_mapping(connection, direction="both")


def default_of(tag: dict[str, str | None]) -> str:
    return "on" if tag.get("type") == "checkbox" else ""


class Browser(HTMLParser):
    """Collects what a browser would send of the mapping's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, Any] = {}
        self._inside, self._select, self._area = False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        if tag == "form":
            self._inside = found.get("id") == "mapping-form"
        if not self._inside:
            return
        if tag == "input" and (
            found.get("type") not in {"radio", "checkbox"} or "checked" in found
        ):
            self.sent[name] = found.get("value") or default_of(found)
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in found:
            self.sent[self._select] = value
        elif tag == "textarea":
            self._area = name

    def handle_data(self, data: str) -> None:
        if self._area:
            self.sent[self._area] = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._area = ""


def as_sent(page: str) -> dict[str, Any]:
    """Return what saving the page as it stands would send."""
    return {**Browser(page).sent, "save": "1"}


@pytest.mark.parametrize("direction", ["push", "pull", "both"])
def test_saving_a_page_as_it_stands_loses_nothing(
    direction: str, admin: Client, mapping: ObjectMapping
) -> None:
    settings = SETTINGS | {"direction": direction}
    ObjectMapping.objects.update(**settings)
    mapping.rows.all().delete()
    mapping.rows.create(
        source="status",
        destination="stage",
        values={"new": "NEW", "replied": "OPEN"},
        default="NEW",
        clear_blanks=True,
        direction="both",
        rule="forward",
        first="crm",
        tie="hub",
        order=["NEW", "OPEN"],
    )
    mapping.rows.create(
        source="city", destination="city", direction="pull", transform="trim"
    )
    before = [row_values(row) for row in mapping.rows.all()]

    page = admin.get(mapping.get_absolute_url()).content.decode()
    answer = admin.post(mapping.get_absolute_url(), as_sent(page))

    mapping.refresh_from_db()
    assert answer.status_code == 302
    assert [row_values(row) for row in mapping.rows.all()] == before
    assert {name: getattr(mapping, name) for name in settings} == settings


def test_directions_and_rules_are_saved(admin: Client, mapping: ObjectMapping) -> None:
    given = rows(("email", "email"), ("city", "city"), save="1", direction="both")
    given |= {"rows-0-direction": "push", "rows-1-rule": "ask", "rows-1-first": "hub"}

    admin.post(mapping.get_absolute_url(), given)

    email, city = mapping.rows.all()
    assert (email.direction, email.rule) == ("push", "latest")
    assert (city.direction, city.rule, city.first) == ("both", "ask", "hub")


def test_bringing_linked_records_up_to_date_is_a_run(
    admin: Client, mapping: ObjectMapping
) -> None:
    link = make_link(mapping.connection, record_id=7)

    given = rows(("email", "email"), save="1", then="all")
    admin.post(mapping.get_absolute_url(), given)

    run = Run.objects.get(kind="manual")
    assert run.options == {"ids": [link.record_id]}


def test_rules_speak_of_the_crm_by_its_name(
    admin: Client, mapping: ObjectMapping
) -> None:
    mapping.rows.update(rule="crm")

    page = admin.get(mapping.get_absolute_url()).content.decode()

    for words in ("HubSpot wins", "crmsync wins", "Only from HubSpot", "Both ways"):
        assert words in page


COLLIDING = {"rows-0-value_0": "NEW", "rows-0-value_1": "NEW"}


def test_values_that_could_not_come_back_are_named_and_refused(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("status", "stage"), save="1", direction="both") | COLLIDING

    answer = admin.post(mapping.get_absolute_url(), given)

    (form,) = answer.context["rows"].forms
    assert answer.status_code == 422
    assert (form.badge.label, form.badge.text) == (
        "2 values collide",
        "Contacted and New → New",
    )
    assert list(mapping.rows.values_list("destination", flat=True)) == ["email"]


def test_values_that_only_go_out_may_be_joined(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("status", "stage"), save="1", direction="both") | COLLIDING
    given["rows-0-direction"] = "push"

    answer = admin.post(mapping.get_absolute_url(), given)

    assert answer.status_code == 302
    assert mapping.rows.get().values == {"new": "NEW", "contacted": "NEW"}


def test_only_the_last_row_of_a_field_is_read_back(
    admin: Client, mapping: ObjectMapping
) -> None:
    mapping.rows.all().delete()
    joined = {"new": "NEW", "contacted": "NEW"}
    mapping.rows.create(source="status", destination="stage", values=joined)
    mapping.rows.create(source="status", destination="city", position=1)

    first, _ = admin.get(mapping.get_absolute_url()).context["rows"].forms

    assert first.badge.label == "One way only"


def test_what_is_read_only_there_can_only_come_from_there(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("city", "score"), save="1", direction="both")
    refused = admin.post(mapping.get_absolute_url(), given)
    given["rows-0-direction"] = "pull"

    taken = admin.post(mapping.get_absolute_url(), given)

    told = refused.context["rows"].forms[0].errors["destination"]
    assert "choose ←" in told[0]
    assert taken.status_code == 302
    assert mapping.rows.get().direction == "pull"


def test_what_is_computed_here_can_only_be_sent(
    admin: Client, mapping: ObjectMapping
) -> None:
    mapping.rows.create(source="score", destination="city", position=1)

    *_, form = admin.get(mapping.get_absolute_url()).context["rows"].forms

    assert (form.way, form.has_choice) == ("push", False)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"mode": "batch", "schedule": "now and then"}, "schedule"),
        ({"direction": "sideways"}, "direction"),
        ({"pull_every_s": "1"}, "pull_every_s"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    given: dict[str, str], field: str, admin: Client, mapping: ObjectMapping
) -> None:
    sent = rows(("email", "email"), save="1") | given

    answer = admin.post(mapping.get_absolute_url(), sent)

    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_the_next_batch_stands_under_its_schedule(
    admin: Client, mapping: ObjectMapping
) -> None:
    ObjectMapping.objects.update(mode="batch", schedule="hourly")

    answer = admin.get(mapping.get_absolute_url())

    assert answer.context["form"].next_slot.minute == 0
    assert "Next:" in answer.content.decode()


def test_a_row_that_was_set_aside_says_why(
    admin: Client, mapping: ObjectMapping
) -> None:
    FieldMapping.objects.update(suspended_because="HubSpot has no such field now.")

    page = admin.get(mapping.get_absolute_url()).content.decode()

    assert "Set aside" in page
    assert "HubSpot has no such field now." in page


def test_another_way_is_drawn_without_being_saved(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("email", "email"), direction="pull")

    answer = admin.post(mapping.get_absolute_url(), given)

    (form,) = answer.context["rows"].forms
    mapping.refresh_from_db()
    assert (answer.status_code, form.way) == (200, "pull")
    assert mapping.direction == "both"


@pytest.fixture
def members(workspace: Workspace) -> ObjectMapping:
    """Members of campaigns go to Salesforce, which requires a campaign and a status."""
    connection = make_connection(workspace, vendor="salesforce")
    names = ("CampaignId", "Status")
    fields = [FIELDS[0] | {"name": n, "label": n, "required": True} for n in names]
    RemoteSchema.objects.create(
        connection=connection, object_type="CampaignMember", fields=fields
    )
    return make_mapping(
        connection,
        record_type="campaign_member",
        remote_object="CampaignMember",
        match_field="",
    )


def test_what_a_record_belongs_to_is_no_field_that_is_missing(
    admin: Client, members: ObjectMapping
) -> None:
    unmapped = admin.get(members.get_absolute_url()).context["unmapped"]

    assert unmapped == ["Status"]


def test_members_of_campaigns_only_go_out(
    admin: Client, members: ObjectMapping
) -> None:
    page = admin.get(members.get_absolute_url()).content.decode()

    saved = admin.post(
        members.get_absolute_url(), as_sent(page) | {"direction": "both"}
    )

    members.refresh_from_db()
    assert ("Never look" in page, 'value="pull"' in page) == (False, False)
    assert (saved.status_code, members.direction) == (422, "push")
    with pytest.raises(Refused):
        change_mapping(members, Actor(), {"direction": "pull"})


# --- rows that only go out ------------------------------------------------------------


@pytest.fixture
def sender(mapping: ObjectMapping) -> ObjectMapping:
    """Our status goes out, and only forward."""
    mapping.direction = ObjectMapping.Direction.PUSH
    mapping.save()
    row = {"source": "status", "destination": "stage", "rule": "forward"}
    FieldMapping.objects.create(mapping=mapping, order=["NEW", "*"], **row)
    return mapping


def test_a_rule_of_what_only_goes_out_is_shown_and_kept(
    admin: Client, sender: ObjectMapping
) -> None:
    page = admin.get(sender.get_absolute_url()).content.decode()

    saved = admin.post(sender.get_absolute_url(), as_sent(page))

    row = FieldMapping.objects.get(mapping=sender, destination="stage")
    assert '<span class="truncate">Only forward</span>' in page
    assert saved.status_code == 302
    assert (row.rule, row.order) == ("forward", ["NEW", "*"])


def test_rules_of_what_only_goes_out_speak_of_nobody_who_wins(
    admin: Client, sender: ObjectMapping
) -> None:
    FieldMapping.objects.filter(mapping=sender).update(rule="latest")

    page = admin.get(sender.get_absolute_url()).content.decode()

    assert "Send ours" in page
    assert "Most recent wins" not in page
