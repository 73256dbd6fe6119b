"""Every operation the simulator answers, by API family."""

from integrations.simulators.hubspot import (
    account_api,
    associations_api,
    batch_api,
    campaign_batches_api,
    campaigns_api,
    form_definitions_api,
    forms_api,
    groups_api,
    labels_api,
    lists_api,
    objects_api,
    owners_api,
    pipelines_api,
    properties_api,
    schemas_api,
    search_api,
    sequences_api,
)
from integrations.simulators.hubspot.call import Route

ROUTES: list[Route] = [
    *account_api.ROUTES,
    *objects_api.ROUTES,
    *batch_api.ROUTES,
    *search_api.ROUTES,
    *campaigns_api.ROUTES,
    *campaign_batches_api.ROUTES,
    *associations_api.ROUTES,
    *properties_api.ROUTES,
    *form_definitions_api.ROUTES,
    *forms_api.ROUTES,
    *groups_api.ROUTES,
    *labels_api.ROUTES,
    *lists_api.ROUTES,
    *owners_api.ROUTES,
    *pipelines_api.ROUTES,
    *schemas_api.ROUTES,
    *sequences_api.ROUTES,
]
