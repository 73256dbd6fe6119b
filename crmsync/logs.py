"""Structured logs: one JSON line per event, with the trace id from webhook to CRM call.

Nothing that is a secret or a person's data may be logged; fields are named at the call.
What libraries and databases put into their messages is taken out here.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
_SECRET_KEYS = frozenset(
    {
        "access_token",
        "api_key",
        "authorization",
        "client_secret",
        "code_verifier",
        "cookie",
        "password",
        "refresh_token",
        "secret",
        "token",
    }
)
# Each keeps its first group, which says what was there. Lengths are bounded, so that
# a hostile text cannot make the search slow.
_PRIVATE = re.compile(
    r"""
    (?P<bearer>\b(?:Bearer|Basic)\s+)[^\s"',]+
    | (?P<query>[?&]
        (?:code|state|key|password|(?:\w{1,40}_)?(?:token|secret))=)[^&\s"']+
    | (?P<address>/(?:webhooks|password/reset/key)/)[^\s/"']+
    | (?P<detail>\bDETAIL:\s+)[^\n]*
    | (?P<mail>)\b[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+
    """,
    re.VERBOSE,
)
# Without one of these there is nothing to take out, as in nearly every line.
_MARKS = ("@", "=", "earer ", "asic ", "DETAIL", "/webhooks/", "/reset/key/")


def without_query(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Cut the query off a logged request: it may hold a code or a person's address."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = request.partition("?")[0]
    elif request is not None:
        # Django hands over the request itself, whose repr holds the whole address.
        event["request"] = str(getattr(request, "path", type(request).__name__))
    return event


def without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide secrets and e-mail addresses, wherever in a line they are."""
    event.pop("color_message", None)  # the same again, for terminals
    for key, value in event.items():
        if key.lower() in _SECRET_KEYS:
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = redacted(value)
    return event


def redacted(text: str) -> str:
    """Return the text without what is private in it.

    >>> redacted("POST /webhooks/abcdefgh/ for lea@example.com")
    'POST /webhooks/[hidden]/ for [hidden]'
    """
    if not any(mark in text for mark in _MARKS):
        return text
    return _PRIVATE.sub(lambda found: f"{found[found.lastgroup or 0]}{HIDDEN}", text)


# Applied to our own lines and to those of libraries alike.
SHARED_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
    without_query,
    structlog.processors.format_exc_info,
    without_secrets,
]


def json_formatter() -> structlog.stdlib.ProcessorFormatter:
    """Return what makes every line JSON; `uvicorn.json` names it too."""
    return structlog.stdlib.ProcessorFormatter(
        processor=structlog.processors.JSONRenderer(),
        foreign_pre_chain=SHARED_PROCESSORS,
    )


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
        "formatters": {"json": {"()": "crmsync.logs.json_formatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # One line per poll of the broker, tick or wake-up says nothing to anyone.
            "kombu": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # At DEBUG it writes whole addresses, and HubSpot's hold tokens.
            "urllib3": {"level": "INFO"},
            # Uvicorn brings handlers of its own; its lines go the way of all others.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
