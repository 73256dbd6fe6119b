"""Every REST operation the simulator answers."""

from integrations.simulators.salesforce import (
    bulk_api,
    collections_api,
    composite_api,
    query_api,
    rest_api,
    rows_api,
    tooling_api,
)
from integrations.simulators.salesforce.call import Route

ROUTES: list[Route] = [
    *rest_api.ROUTES,
    *rows_api.ROUTES,
    *collections_api.ROUTES,
    *query_api.ROUTES,
    *composite_api.ROUTES,
    *tooling_api.ROUTES,
    *bulk_api.ROUTES,
]
