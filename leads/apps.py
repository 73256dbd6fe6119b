"""The leads app: the hub's records and everything decided about them."""

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """Leads, companies, deals, activities, campaigns."""

    name = "leads"
