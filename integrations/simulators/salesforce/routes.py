"""Every REST operation the simulator answers."""

from integrations.simulators.salesforce import (
    collections_api,
    query_api,
    rest_api,
    rows_api,
)
from integrations.simulators.salesforce.call import Route

ROUTES: list[Route] = [
    *rest_api.ROUTES,
    *rows_api.ROUTES,
    *collections_api.ROUTES,
    *query_api.ROUTES,
]
