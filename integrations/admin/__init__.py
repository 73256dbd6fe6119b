"""The console's pages of other systems; importing it registers them."""

from integrations.admin import crm, inbox, mappings, runs

__all__ = ["crm", "inbox", "mappings", "runs"]
