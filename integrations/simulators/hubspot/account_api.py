"""What an account says of itself."""

from integrations.simulators import currencies
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.wire import Json, Reply, json_reply

# A place that keeps one offset all year, so that zone and offset always agree.
_CLOCK: Json = {
    "timeZone": "America/Puerto_Rico",
    "utcOffset": "-04:00",
    "utcOffsetMilliseconds": -4 * 3600 * 1000,
}


def read_details(call: Call) -> Reply:
    """GET /details."""
    found = call.portal.currencies
    return json_reply(
        {
            "portalId": call.portal.hub_id,
            "accountType": "STANDARD",
            "companyCurrency": found[currencies.COMPANY],
            "additionalCurrencies": found[currencies.ADDITIONAL],
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
        | _CLOCK
    )


def _no_scope(call: Call) -> list[list[str]]:
    """Need none but `oauth`, which every token has."""
    return []


ROUTES = [Route("account-info", "GET", "details", read_details, _no_scope)]
