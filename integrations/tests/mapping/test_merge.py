"""One field, three ways: what the CRM has, what we have, what both had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from integrations.mapping.merge import (
    ANY_OTHER,
    Base,
    Clash,
    FieldRule,
    Outcome,
    Sides,
    later,
    merge,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rule(**given: object) -> FieldRule:
    return FieldRule("phone", "Phone", **given)  # type: ignore[arg-type]


def merged(
    base: Base | str | None, crm: str | None, hub: str, **given: object
) -> Outcome:
    agreed = Base(base, base) if isinstance(base, str) else base
    return merge(Sides(agreed, crm, hub), rule(**given))


@pytest.mark.parametrize(
    ("base", "crm", "hub", "take", "send"),
    [
        ("1", "1", "1", None, None),
        ("1", "2", "1", "2", None),
        ("1", "1", "2", None, "2"),
        ("1", "2", "2", None, None),
        ("1", None, "1", None, None),
        ("1", None, "2", None, "2"),
        (None, None, "1", None, None),
    ],
)
def test_a_change_of_one_side_reaches_the_other(
    base: str | None, crm: str | None, hub: str, take: str | None, send: str | None
) -> None:
    outcome = merged(base, crm, hub)

    assert (outcome.take, outcome.send, outcome.clash) == (take, send, None)


def test_the_same_change_twice_is_agreement() -> None:
    assert merged("1", "2", "2") == Outcome(base=Base("2", "2"))


# --- first meeting --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "crm", "hub", "take", "send"),
    [
        ("fill", "1", "", "1", None),
        ("fill", "", "2", None, "2"),
        ("fill", "1", "2", None, None),
        ("crm", "1", "2", "1", None),
        ("hub", "1", "2", None, "2"),
    ],
)
def test_a_first_meeting_fills_blanks_and_overwrites_only_by_choice(
    first: str, crm: str, hub: str, take: str | None, send: str | None
) -> None:
    outcome = merged(None, crm, hub, first=first)

    assert (outcome.take, outcome.send) == (take, send)


@pytest.mark.parametrize("first", ["fill", "crm", "hub"])
@pytest.mark.parametrize(
    ("name", "crm", "hub", "take", "send"),
    [
        ("restrictive", "true", "false", "true", None),
        ("restrictive", "false", "true", None, "true"),
        ("forward", "3", "1", "3", None),
        ("forward", "1", "3", None, "3"),
        ("union", "1", "2", "1;2", "1;2"),
        ("union", "1;2", "2", "1;2", None),
    ],
)
def test_a_rule_that_weighs_values_decides_a_first_meeting_as_well(
    first: str, name: str, crm: str, hub: str, take: str | None, send: str | None
) -> None:
    order = ("1", "2", "3") if name == "forward" else ()

    outcome = merged(None, crm, hub, rule=name, first=first, order=order)

    assert (outcome.take, outcome.send) == (take, send)
    assert outcome.clash is None


@pytest.mark.parametrize("name", ["restrictive", "forward"])
def test_values_that_weigh_the_same_meet_as_any_others(name: str) -> None:
    assert merged(None, "odd", "even", rule=name).base == Base("odd", "even")
    assert merged(None, "odd", "even", rule=name, first="crm").take == "odd"


def test_a_one_way_field_keeps_its_way_at_a_first_meeting() -> None:
    assert merged(None, "1", "2", rule="union", pushes=False).take == "1"
    assert merged(None, "1", "2", rule="union", pulls=False).send == "2"


@pytest.mark.parametrize("base", [None, "", "false"])
def test_a_one_way_field_lets_nobody_in_who_is_out_on_its_other_side(
    base: str | None,
) -> None:
    comes_in = merged(base, "false", "true", rule="restrictive", pushes=False)
    goes_out = merged(base, "true", "false", rule="restrictive", pulls=False)

    assert (comes_in.take, comes_in.send) == (None, None)
    assert (goes_out.take, goes_out.send) == (None, None)


@pytest.mark.parametrize(("crm", "hub"), [("false", "true"), ("true", "false")])
def test_an_act_of_one_side_lets_in_who_was_out_on_both(crm: str, hub: str) -> None:
    outcome = merged("true", crm, hub, rule="restrictive")

    assert (outcome.take, outcome.send) == (
        ("false", None) if crm == "false" else (None, "false")
    )


@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize(("crm", "hub"), [("", "true"), ("true", "")])
def test_a_blank_lets_nobody_in(crm: str, hub: str, clears: bool) -> None:
    outcome = merged("true", crm, hub, rule="restrictive", clears=clears)

    assert (outcome.take, outcome.send) == ((None, "true") if hub else ("true", None))


def test_what_was_left_to_differ_is_news_only_when_it_changes() -> None:
    left = merged(None, "1", "2").base

    assert merged(left, "1", "2") == Outcome()
    assert merged(left, "3", "2").take == "3"
    assert merged(left, "1", "4").send == "4"


# --- one way --------------------------------------------------------------------------


def test_a_field_that_only_goes_out_is_put_right_there() -> None:
    outcome = merged("1", "2", "1", pulls=False)

    assert (outcome.take, outcome.send) == (None, "1")


def test_a_field_that_only_comes_in_is_put_right_here() -> None:
    outcome = merged("1", "1", "2", pushes=False)

    assert (outcome.take, outcome.send) == ("1", None)


@pytest.mark.parametrize("base", [None, "1"])
@pytest.mark.parametrize("name", ["latest", "crm", "hub", "ask", "blank"])
def test_a_one_way_field_never_goes_the_other_way(base: str | None, name: str) -> None:
    for crm, hub in product(["", "1", "2", "3"], repeat=2):
        assert merged(base, crm, hub, rule=name, pulls=False).take is None
        assert merged(base, crm, hub, rule=name, pushes=False).send is None


# --- blanks ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clears", "crm", "hub", "take", "send"),
    [
        (False, "", "1", None, None),
        (True, "", "1", "", None),
        (False, "1", "", None, None),
        (True, "1", "", None, ""),
    ],
)
def test_a_blank_travels_only_when_it_is_news(
    clears: bool, crm: str, hub: str, take: str | None, send: str | None
) -> None:
    outcome = merged("1", crm, hub, clears=clears)

    assert (outcome.take, outcome.send) == (take, send)


def test_emptying_loses_against_a_new_value_where_it_is_no_news() -> None:
    assert merged("1", "", "2", rule="crm").send == "2"
    assert merged("1", "2", "", rule="hub").take == "2"


# --- conflicts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "take", "send", "winner"),
    [
        ("crm", "2", None, "crm"),
        ("hub", None, "3", "hub"),
        ("ask", None, None, None),
    ],
)
def test_what_both_changed_follows_the_rule(
    name: str, take: str | None, send: str | None, winner: str | None
) -> None:
    outcome = merged("1", "2", "3", rule=name)

    assert (outcome.take, outcome.send) == (take, send)
    assert outcome.clash is not None
    assert outcome.clash.winner == winner


def test_a_question_changes_nothing_until_it_is_answered() -> None:
    assert merged("1", "2", "3", rule="ask") == Outcome(clash=Clash(None, "Ask me"))


@pytest.mark.parametrize(
    ("crm_s", "hub_s", "winner"),
    [(10, 0, "crm"), (0, 10, "hub"), (1, 0, "crm"), (0, 1, "crm"), (2, 0, "crm")],
)
def test_the_most_recent_wins_and_a_tie_break_where_time_does_not_tell(
    crm_s: int, hub_s: int, winner: str
) -> None:
    sides = Sides(
        Base("1", "1"),
        "2",
        "3",
        crm_at=NOON + timedelta(seconds=crm_s),
        hub_at=NOON + timedelta(seconds=hub_s),
    )

    outcome = merge(sides, rule(rule="latest", tie="crm"))

    assert outcome.clash is not None
    assert outcome.clash.winner == winner


def test_times_closer_than_clocks_can_tell_decide_nothing() -> None:
    assert later(NOON, NOON + timedelta(seconds=1.9)) is None
    assert later(NOON, NOON + timedelta(seconds=2)) == "hub"
    assert later(None, NOON) is None


def test_fill_only_never_overwrites() -> None:
    assert merged("1", "2", "3", rule="blank").base == Base("2", "3")
    assert merged("1", "2", "1", rule="blank").take is None
    assert merged("", "2", "", rule="blank").take == "2"
    assert merged("", "", "3", rule="blank").send == "3"


@pytest.mark.parametrize(
    ("crm", "hub", "take", "send"),
    [("true", "false", "true", None), ("false", "true", None, "true")],
)
def test_who_opted_out_anywhere_is_out(
    crm: str, hub: str, take: str | None, send: str | None
) -> None:
    outcome = merged("", crm, hub, rule="restrictive")

    assert (outcome.take, outcome.send) == (take, send)


STAGES = ("lead", "mql", "customer")


@pytest.mark.parametrize(
    ("base", "crm", "hub", "take", "send"),
    [
        ("mql", "customer", "mql", "customer", None),
        ("mql", "lead", "mql", None, None),
        ("mql", "mql", "lead", None, None),
        ("lead", "mql", "customer", None, "customer"),
        ("lead", "customer", "mql", "customer", None),
    ],
)
def test_a_stage_only_goes_forward(
    base: str, crm: str, hub: str, take: str | None, send: str | None
) -> None:
    outcome = merged(base, crm, hub, rule="forward", order=STAGES)

    assert (outcome.take, outcome.send) == (take, send)


def test_choices_of_both_are_kept() -> None:
    outcome = merged("a", "a;b", "a;c", rule="union")

    assert (outcome.take, outcome.send) == ("a;b;c", "a;b;c")


# --- laws -----------------------------------------------------------------------------


@pytest.mark.parametrize("met", ["never", "theirs changed", "ours changed"])
@pytest.mark.parametrize(
    ("crm", "hub", "send"),
    [
        ("lead", "customer", "customer"),
        ("customer", "lead", None),
        ("", "lead", "lead"),
        ("other", "lead", "lead"),
    ],
)
def test_what_only_goes_out_goes_only_forward(
    met: str, crm: str, hub: str, send: str | None
) -> None:
    bases = {"theirs changed": Base("mql", hub), "ours changed": Base(crm, "mql")}
    given = {"rule": "forward", "order": STAGES, "pulls": False}

    outcome = merged(bases.get(met), crm, hub, **given)

    assert (outcome.take, outcome.send) == (None, send)


def test_any_other_value_stands_where_the_order_says() -> None:
    order = (*STAGES, ANY_OTHER)

    assert merged("lead", "other", "customer", rule="forward", order=order).send is None
    assert (
        merged("lead", "customer", "other", rule="forward", order=order).send == "other"
    )


@pytest.mark.parametrize("pulls", [True, False])
@pytest.mark.parametrize("was", ["", "lead"])
def test_a_blank_is_no_other_value(was: str, pulls: bool) -> None:
    given = {"rule": "forward", "order": (*STAGES, ANY_OTHER), "pulls": pulls}

    assert merged(Base("", was), "", "customer", **given).send == "customer"
    assert merged("customer", "customer", "", clears=True, **given).send is None


@pytest.mark.parametrize("base", [None, "1", "3"])
def test_what_only_fills_blanks_fills_nothing_else(base: str | None) -> None:
    given = {"rule": "blank", "pulls": False}

    assert merged(base, "2", "3", **given).send is None
    assert merged(base, "", "3", **given).send == "3"


RULES = ("crm", "hub", "latest", "blank", "restrictive", "forward", "union")


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("clears", [True, False])
def test_carrying_out_what_follows_leaves_nothing_to_do(
    name: str, clears: bool
) -> None:
    """Else two runs over the same records would not come to rest."""
    values = ["", "1", "2", "3"]
    bases = [None, *(Base(a, b) for a, b in product(values, repeat=2))]
    for base, crm, hub in product(bases, values, values):
        outcome = merged(base, crm, hub, rule=name, clears=clears)
        after = Sides(
            outcome.base or base,
            crm if outcome.send is None else outcome.send,
            hub if outcome.take is None else outcome.take,
        )

        again = merge(after, rule(rule=name, clears=clears))

        assert (again.take, again.send) == (None, None), (base, crm, hub, outcome)
