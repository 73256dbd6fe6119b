"""The workspace and connection of the sync tests, and a way to fill in a form."""

from integrations.tests.sync.conftest import hubspot, salesforce, workspace

__all__ = ["hubspot", "salesforce", "workspace"]
