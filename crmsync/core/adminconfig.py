"""Makes the console Django's admin site, without looking for admin modules.

`crmsync.urls` names the modules: workers and commands, which show no pages, need not
import them.
"""

from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(SimpleAdminConfig):
    """The admin app with our site."""

    default_site = "crmsync.core.adminsite.ConsoleSite"
