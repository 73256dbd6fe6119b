"""Invented people and a month of their history, so that a first look shows life."""
