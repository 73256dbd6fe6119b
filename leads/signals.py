"""The project's only signal: sent inside the transaction that writes records."""

from django.dispatch import Signal

# Arguments: workspace: Workspace, changes: list[leads.facts.RecordChange]
records_changed = Signal()
