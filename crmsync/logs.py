"""Structured logs: one JSON line per event, with the trace id from webhook to CRM call.

Nothing that is a secret or a person's data may be logged; fields are named at the call.
"""

from __future__ import annotations

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def without_query(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Cut the query off a logged request: it may hold a code or a person's address."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = request.partition("?")[0]
    elif request is not None:
        # Django hands over the request itself, whose repr holds the whole address.
        event["request"] = str(getattr(request, "path", type(request).__name__))
    return event


# Applied to our own lines and to those of libraries alike.
SHARED_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
    without_query,
    structlog.processors.format_exc_info,
]


def logging_config(*, level: str) -> dict[str, Any]:
    """Return the `LOGGING` setting and point structlog at the same handler."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": structlog.processors.JSONRenderer(),
                "foreign_pre_chain": SHARED_PROCESSORS,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line per poll of the broker says nothing to anyone.
            "kombu": {"level": "WARNING"},
            # At DEBUG it would write whole addresses, and some hold a token.
            "urllib3": {"level": "INFO"},
            # Three lines per task, and the sweep runs every two seconds.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django_structlog.celery": {"level": "WARNING"},
            # Uvicorn brings handlers of its own; its lines go the way of all others.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
