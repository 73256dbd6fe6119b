"""One account at a vendor, changed by operations alone.

An operation is a JSON list [name, ...arguments]: `do` applies it and queues it for the
journal, `replay` applies it again after a restart. A vendor's account adds its tables
and a `_do_<name>` for each operation of its own; nothing else may change an account.
"""

from typing import Any

from integrations.simulators.wire import Json

Key = int | str
Op = list[Any]


class Account:
    """Documents by kind and key, and what has happened since the last commit."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.clear()

    def clear(self) -> None:
        """Start over; a vendor adds its built-in definitions."""
        self.docs: dict[str, dict[str, Json]] = {}
        self.pending: list[Op] = []

    def documents(self, kind: str) -> dict[str, Json]:
        """Return the documents of one kind by key: whatever is kept whole."""
        return self.docs.setdefault(kind, {})

    def do(self, op: Op) -> Any:
        """Apply an operation and queue it for the journal."""
        self.pending.append(op)
        return self.replay(op)

    def replay(self, op: Op) -> Any:
        """Apply an operation."""
        return getattr(self, f"_do_{op[0]}")(*op[1:])

    def settle(self) -> None:
        """Hear that the request is over and its operations stand."""

    def _do_doc(self, kind: str, key: str, value: Json | None) -> None:
        if value is None:
            self.documents(kind).pop(key, None)
        else:
            self.documents(kind)[key] = value
