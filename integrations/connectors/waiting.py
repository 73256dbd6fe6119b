"""How long a vendor's answer asks to wait.

PURE. Retry-After: RFC 9110, 10.2.3; some servers give a fraction of a second.
"""

import email.utils
import re
from collections.abc import Mapping

_MOST_S = 24 * 3600.0
_NUMBER = re.compile(r"\d{1,12}(\.\d{0,6})?", re.ASCII)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, in seconds or as a date, up to a day. None: not given.

    headers: in lower case. A date is measured against the answer's own Date, so that
    our clock's error does not matter.

    >>> retry_after_s({"retry-after": "999999"})
    86400.0
    """
    text = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(text):
        return min(float(text), _MOST_S)
    until, now = http_date(text), http_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max(until - now, 0.0), _MOST_S)


def http_date(text: str) -> float | None:
    """Read a date as headers have it, in epoch seconds; None where it is none."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
