"""crmsync: a self-hosted lead hub and CRM sync."""

__version__ = "0.1.0"
