"""Which scopes an operation needs, as routes say it."""

from integrations.simulators.hubspot.access import object_scopes, schema_scopes
from integrations.simulators.hubspot.call import Scopes


def fixed(scope: str) -> Scopes:
    """Need one scope, whatever the path."""
    return lambda call: [[scope]]


def of_records(action: str, *at: int) -> Scopes:
    """Need to `read` or `write` records of each type that a path parameter names."""
    return lambda call: [
        object_scopes(call.table(place).kind, action) for place in at or (0,)
    ]


def of_definitions(action: str, *at: int) -> Scopes:
    """Need to `read` or `write` definitions of each type that a parameter names."""
    return lambda call: [
        schema_scopes(call.table(place).kind, action) for place in at or (0,)
    ]
