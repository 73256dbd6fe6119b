"""Turns changes of records into outbox rows."""
