"""What HubSpot computes or refuses across properties of one record."""

from integrations.simulators import currencies
from integrations.simulators.hubspot.definitions import ObjectType
from integrations.simulators.hubspot.errors import Problem
from integrations.simulators.hubspot.portal import CURRENCY, Portal
from integrations.simulators.hubspot.values import phone_digits
from integrations.simulators.wire import Json

Changes = dict[str, str | None]
LIFECYCLE = "lifecyclestage"


def pipeline_problems(
    portal: Portal,
    kind: ObjectType,
    before: dict[str, str],
    changes: Changes,
    *,
    creating: bool,
) -> list[Problem]:
    """Check pipeline and stage against each other; fills in the default pipeline."""
    pipelines = portal.docs.get(f"pipelines/{kind.name}")
    if not pipelines or not kind.pipeline:
        return []
    if creating and not changes.get(kind.pipeline):
        changes[kind.pipeline] = next(iter(pipelines))
    if kind.pipeline not in changes and kind.stage not in changes:
        return []
    wanted = changes.get(kind.pipeline) or before.get(kind.pipeline) or ""
    pipeline = pipelines.get(wanted)
    if pipeline is None or pipeline["archived"]:
        allowed = ", ".join(pipelines)
        message = f"{wanted} was not one of the allowed options: [{allowed}]"
        return [Problem(kind.pipeline, "INVALID_OPTION", message)]
    return _stage_problems(kind, pipeline, before, changes, creating=creating)


def _stage_problems(
    kind: ObjectType,
    pipeline: Json,
    before: dict[str, str],
    changes: Changes,
    *,
    creating: bool,
) -> list[Problem]:
    stages = [s["id"] for s in pipeline["stages"] if not s["archived"]]
    if creating and kind.name == "leads" and not changes.get(kind.stage):
        changes[kind.stage] = stages[0]
    stage = changes.get(kind.stage, before.get(kind.stage))
    if not stage or stage in stages:
        return []
    message = f"{stage} was not one of the allowed options: [{', '.join(stages)}]"
    return [Problem(kind.stage, "INVALID_OPTION", message)]


def fill_in_currency(portal: Portal, kind: ObjectType, changes: Changes) -> None:
    """Give a new deal the company's currency where there are others to choose from."""
    if kind.name == "deals" and portal.currencies[currencies.ADDITIONAL]:
        changes[CURRENCY] = (
            changes.get(CURRENCY) or portal.currencies[currencies.COMPANY]
        )


def derived(
    portal: Portal, kind: ObjectType, before: dict[str, str], changes: Changes
) -> Changes:
    """Return the calculated values these changes bring about."""
    more: Changes = {}
    if LIFECYCLE in changes and not _moves_forward(portal, kind, before, changes):
        # The API accepts a step back and ignores it; clear the value first.
        more[LIFECYCLE] = before.get(LIFECYCLE)
    for name, calculated in _PHONES:
        if name in changes and kind.name in ("contacts", "companies"):
            phone = changes[name]
            more[calculated] = phone_digits(phone) if phone else None
    if kind.name == "contacts" and "email" in changes:
        email = changes["email"]
        more["hs_email_domain"] = email.split("@")[1] if email else None
    if kind.name == "deals" and ("dealstage" in changes or "amount" in changes):
        more |= _deal_outcome(portal, {**before, **changes})
    return more


_PHONES = (
    ("phone", "hs_searchable_calculated_phone_number"),
    ("mobilephone", "hs_searchable_calculated_mobile_number"),
)


def _moves_forward(
    portal: Portal, kind: ObjectType, before: dict[str, str], changes: Changes
) -> bool:
    old, new = before.get(LIFECYCLE), changes[LIFECYCLE]
    if not old or not new:
        return True
    order = list(portal.tables[kind.name].properties[LIFECYCLE].options)
    return old not in order or order.index(new) >= order.index(old)


def _deal_outcome(portal: Portal, props: dict[str, str | None]) -> Changes:
    pipeline = portal.docs["pipelines/deals"].get(props.get("pipeline") or "", {})
    for stage in pipeline.get("stages", []):
        if stage["id"] == props.get("dealstage"):
            probability = stage["metadata"].get("probability", "0.0")
            closed = stage["metadata"].get("isClosed") == "true"
            return {
                "hs_deal_stage_probability": probability,
                "hs_is_closed": str(closed).lower(),
                "hs_is_closed_won": str(closed and probability == "1.0").lower(),
                "amount_in_home_currency": props.get("amount"),
            }
    return {}
