"""Which objects have an API of their own, and how a connector's method finds it."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar, cast

from integrations.connectors.hubspot import campaigns
from integrations.connectors.hubspot.spec import CAMPAIGNS

# Object -> module with a function for each method marked below, under its name.
APART: Mapping[str, ModuleType] = {CAMPAIGNS: campaigns}

Method = TypeVar("Method", bound=Callable[..., Any])


def by_object(method: Method) -> Method:
    """Let an object's own module answer, where it has one.

    For methods whose first argument is the object; the module's functions take the
    connector's calls before it.
    """

    @wraps(method)
    def call(connector: Any, object_type: str, /, *args: Any, **options: Any) -> Any:
        module = APART.get(object_type)
        if module is None:
            return method(connector, object_type, *args, **options)
        own = getattr(module, method.__name__)
        return own(connector.calls, object_type, *args, **options)

    return cast(Method, call)
