"""How records look: the colour of a status, an amount in its currency."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

from leads.models import CampaignMember, Deal, Lead, Stage

register = template.Library()

HOT, WARM = 50, 20
_STATUS_TONES: Mapping[str, str] = {
    Lead.Status.NEW: "idle",
    Lead.Status.CONTACTED: "idle",
    Lead.Status.REPLIED: "info",
    Lead.Status.QUALIFIED: "ok",
    Lead.Status.CUSTOMER: "ok",
    Lead.Status.LOST: "bad",
    CampaignMember.Status.RESPONDED: "info",
}
_OUTCOME_TONES: Mapping[str, str] = {
    Stage.Outcome.OPEN: "info",
    Stage.Outcome.WON: "ok",
    Stage.Outcome.LOST: "bad",
}


@register.filter
def status_tone(status: str) -> str:
    """Return the tone of a lead's status, or of its status in a campaign."""
    return _STATUS_TONES.get(status, "idle")


@register.filter
def outcome_tone(outcome: str) -> str:
    """Return the tone of a stage's outcome."""
    return _OUTCOME_TONES.get(outcome, "idle")


@register.filter
def heat(score: int) -> str:
    """Return the class of a score: hot, warm or cold."""
    return "hot" if score >= HOT else "warm" if score >= WARM else "cold"


@register.filter
def amount(deal: Deal) -> str:
    """Return the deal's amount with its currency, empty when it has none."""
    return money(deal.amount, deal.currency)


@register.filter
def money(value: Decimal | None, currency: str) -> str:
    """Return an amount as people read it.

    >>> money(Decimal("18500.00"), "EUR")
    'EUR 18,500'
    """
    if value is None:
        return ""
    exact = value.quantize(Decimal(1)) if value == int(value) else value
    return f"{currency} {intcomma(str(exact))}".strip()


@register.filter
def initials(lead: Lead) -> str:
    """Return one or two letters that stand for a person."""
    words = [lead.first_name, lead.last_name]
    letters = "".join(word[:1] for word in words if word)
    return (letters or str(lead)[:1]).upper()
