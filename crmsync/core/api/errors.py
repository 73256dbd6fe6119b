"""Answers of the API that the framework has no class for."""

from __future__ import annotations

from drf_standardized_errors.openapi_serializers import (
    ClientErrorEnum,
    ServerErrorEnum,
    ValidationErrorEnum,
)
from rest_framework import serializers, status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """What the caller knows is no longer so."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This was changed meanwhile."
    default_code = "conflict"


class ErrorDetail(serializers.Serializer[object]):
    """One thing that is wrong. attr: the field it is about, null for the whole."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class ErrorSerializer(serializers.Serializer[object]):
    """The one shape of every error."""

    type = serializers.ChoiceField(
        choices=[
            *ClientErrorEnum.choices,
            *ValidationErrorEnum.choices,
            *ServerErrorEnum.choices,
        ]
    )
    errors = ErrorDetail(many=True)  # type: ignore[assignment]
