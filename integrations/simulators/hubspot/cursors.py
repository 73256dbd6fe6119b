"""Paging cursors that say nothing: what an API gives out, it alone can read."""

import base64
import binascii

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import Call
from integrations.simulators.wire import Json


def place_of(call: Call) -> int:
    """Return the place in the list that ?after= names, 0 when absent; raises a 400."""
    text = call.request.first("after")
    try:
        place = base64.b64decode(text, validate=True).decode("ascii").strip()
    except (binascii.Error, UnicodeError):
        place = ""
    if text and not (place.isdigit() and len(place) < 10):
        raise errors.bad_request(f"Invalid paging token: {text}")
    return int(place or 0)


def paging(call: Call, place: int) -> Json:
    """Return {next: {after, link}} for a page that begins at a place.

    >>> base64.b64encode(b"525\\n").decode()
    'NTI1Cg=='
    """
    after = base64.b64encode(f"{place}\n".encode()).decode()
    return {"next": {"after": after, "link": f"{call.request.path}?after={after}"}}
