"""Answers of the API that the framework has no class for."""

from __future__ import annotations

from drf_standardized_errors.openapi_serializers import ClientErrorEnum
from rest_framework import serializers, status
from rest_framework.exceptions import APIException


class Conflict(APIException):
    """What the caller knows is no longer so."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "This was changed meanwhile."
    default_code = "conflict"


class ConflictDetail(serializers.Serializer[object]):
    """What clashed."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class ConflictSerializer(serializers.Serializer[object]):
    """The one error shape, of a 409."""

    type = serializers.ChoiceField(choices=ClientErrorEnum.choices)
    errors = ConflictDetail(many=True)
