"""Every write about other systems: connecting, setting up, disconnecting, mapping."""

from integrations.services.connect import (
    ConnectionRefused,
    connect_with_token,
    disconnect,
    reconnect_with_token,
)

__all__ = [
    "ConnectionRefused",
    "connect_with_token",
    "disconnect",
    "reconnect_with_token",
]
