"""Turns what Django raises while a request is read into answers of the API."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import ParseError

from crmsync.core.api.parsers import TooLarge


class Handler(ExceptionHandler):
    """Knows the errors that are the sender's although Django raises them."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Return the API's own exception where there is one."""
        if isinstance(exc, RequestDataTooBig):
            return TooLarge()
        if isinstance(exc, SuspiciousOperation | UnreadablePostError):
            return ParseError("The request could not be read.")
        converted: Exception = super().convert_known_exceptions(exc)
        return converted
