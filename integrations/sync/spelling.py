"""Fields of ours that are kept in a form of their own, whichever way they came in.

A value in a CRM that we spell otherwise means the same: it is not sent back in our
spelling over the one that somebody there chose.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.mapping.canon import Canon
from leads.matching import normal_domain, normal_linkedin
from leads.models.lead import lead_linkedin_url


def _domain(text: str) -> str:
    return normal_domain(text) or text.strip()


def _profile(text: str) -> str:
    return normal_linkedin(text) or text.strip()


def _address(text: str) -> str:
    return lead_linkedin_url(normal_linkedin(text)) or text.strip()


def _currency(text: str) -> str:
    return text.strip().upper()


# Our field -> the one form of its values.
SPELT: Mapping[str, Canon] = {
    "domain": _domain,
    "linkedin_id": _profile,
    "linkedin_url": _address,
    "currency": _currency,
}
