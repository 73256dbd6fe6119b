"""The error bodies Salesforce answers with, as in the contract's exchanges."""

from collections.abc import Sequence
from typing import Any

from integrations.simulators.errors import ApiError
from integrations.simulators.wire import Json

ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header"
)
_GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED"})


class RowError(Exception):
    """Refuse one record. more: what a request-level body says beyond this."""

    def __init__(
        self, code: str, message: str, fields: Sequence[str] = (), **more: Any
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = list(fields)
        self.more = more

    def in_row(self) -> Json:
        """Return the error as one record's result of a batch."""
        return failed(self.code, self.message, self.fields)

    def in_csv(self) -> str:
        """Return the error as bulk results write it."""
        return f"{self.code}:{self.message}:{' '.join(self.fields)} --"

    def in_request(self) -> ApiError:
        """Return the error as the answer to a request about one record."""
        body: Json = {"message": self.message, "errorCode": self.code}
        if self.more:
            body = self.more | body
        else:
            body["fields"] = self.fields
        return ApiError(404 if self.code in _GONE else 400, [body])


def failed(code: str, message: str, fields: Sequence[str] = ()) -> Json:
    """Return one record's refusal."""
    error = {"statusCode": code, "message": message, "fields": list(fields)}
    return {"success": False, "errors": [error]}


def rolled_back() -> Json:
    """Return the result of a good record beside a bad one, all or none."""
    return failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)


def plain(status: int, code: str, message: str) -> ApiError:
    """Return an error that names no field."""
    return ApiError(status, [{"message": message, "errorCode": code}])


def bad_request(code: str, message: str) -> ApiError:
    """Return a 400."""
    return plain(400, code, message)


def not_found() -> ApiError:
    """Return the 404 of an unknown path or object."""
    return plain(404, "NOT_FOUND", "The requested resource does not exist")


def invalid_session() -> ApiError:
    """Return the 401 of a missing, expired or revoked token."""
    return plain(401, "INVALID_SESSION_ID", "Session expired or invalid")


def limit_exceeded(name: str = "TotalRequests") -> ApiError:
    """Return the 403 of a used-up allowance."""
    return plain(403, "REQUEST_LIMIT_EXCEEDED", f"{name} Limit exceeded.")


def unavailable(status: int = 503) -> ApiError:
    """Return the vendor's bad day."""
    return plain(status, "SERVER_UNAVAILABLE", "Server Unavailable")


def oauth(code: str, description: str, status: int = 400) -> ApiError:
    """Return an error of the token endpoints."""
    return ApiError(status, {"error": code, "error_description": description})


# -- records


def unknown_field(name: str, kind: str) -> RowError:
    """Return the refusal of a field that is not there or hidden."""
    return RowError(
        "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}"
    )


def not_writable(names: Sequence[str]) -> RowError:
    """Return the refusal of read-only fields."""
    return RowError(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the "
        "security settings of this field and verify that it is read/write for your "
        "profile or permission set.",
        names,
    )


def missing(names: Sequence[str]) -> RowError:
    """Return the refusal of a record without its required fields."""
    listed = ", ".join(names)
    return RowError(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{listed}]", names
    )


def malformed_id(label: str, value: object, name: str = "Id") -> RowError:
    """Return the refusal of what cannot be an id of this object."""
    message = f"{label}: id value of incorrect type: {value}"
    return RowError("MALFORMED_ID", message, [name])


def deleted() -> RowError:
    """Return the refusal to touch what is in the recycle bin."""
    return RowError("ENTITY_IS_DELETED", "entity is deleted")


def bad_reference() -> RowError:
    """Return the refusal of an id that leads nowhere."""
    return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def locked(identifier: str) -> RowError:
    """Return the refusal of a row somebody else is writing."""
    message = "unable to obtain exclusive access to this record or 1 records: "
    return RowError("UNABLE_TO_LOCK_ROW", message + identifier)


def locked_in_trigger(identifier: str) -> RowError:
    """Return a lock as it looks when a trigger met it."""
    message = (
        "RollUp: execution of AfterInsert\n\ncaused by: System.DmlException: Update "
        f"failed; UNABLE_TO_LOCK_ROW, {locked(identifier).message}"
    )
    return RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)


def duplicate_value(name: str, other: str) -> RowError:
    """Return the refusal of a second record with a unique value. other: its id."""
    message = f"duplicate value found: {name} duplicates value on record with id: "
    return RowError("DUPLICATE_VALUE", message + other[:15])
