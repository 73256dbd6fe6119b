"""Reads bodies that a database can keep; everything else is a 400, never a 500."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

# A lone half of a UTF-16 pair can only be written as an escape.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


class TooLarge(APIException):
    """The body is larger than we take."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictJSONParser(JSONParser):
    """JSON of bounded size and depth, without half characters."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value. Raises ParseError or TooLarge."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge
        try:
            value = super().parse(io.BytesIO(body), media_type, parser_context)
            if _HALF.search(body):
                json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ParseError("JSON parse error - half a character.") from error
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply.") from error
        return value
