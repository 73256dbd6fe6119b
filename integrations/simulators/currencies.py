"""The currencies of an account, as a control request names them.

One shape for every vendor: {company_currency, additional_currencies}.
"""

import re
from typing import Any

from integrations.simulators.errors import ControlError
from integrations.simulators.wire import Json

COMPANY, ADDITIONAL = "company_currency", "additional_currencies"
USUAL: Json = {COMPANY: "USD", ADDITIONAL: []}
_CODE = re.compile(r"[A-Z]{3}")


def changed(before: Json, raw: Json) -> Json:
    """Return an account's currencies with what `raw` names put in their place.

    The company's own is not listed again; raises ControlError.
    """
    unknown = set(raw) - set(USUAL)
    if unknown:
        raise ControlError(f"no such value: {', '.join(sorted(unknown))}")
    wanted = before | raw
    company, more = wanted[COMPANY], wanted[ADDITIONAL]
    if not isinstance(more, list):
        raise ControlError(f"{ADDITIONAL} is a list")
    for code in (company, *more):
        _check(code)
    more = [code for code in dict.fromkeys(more) if code != company]
    return {COMPANY: company, ADDITIONAL: more}


def all_of(currencies: Json) -> list[str]:
    """Return the company's own, then the others."""
    return [currencies[COMPANY], *currencies[ADDITIONAL]]


def _check(code: Any) -> None:
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise ControlError(f"not a currency code such as USD: {code}")
