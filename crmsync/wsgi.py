"""Django alone, for tools that ask for WSGI; webhooks are served by `crmsync.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
application = get_wsgi_application()
