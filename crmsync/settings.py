"""Every setting, read once from the environment and failing loudly.

Nothing here needs the internet. With no variable set the product runs on its embedded
default (SQLite and a broker on a unix socket in the data folder); `DATABASE_URL` and
`REDIS_URL` turn the same code into the production configuration. `.env.example` lists
every variable; each may also be given as NAME_FILE.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

import crmsync
from crmsync.logs import logging_config
from crmsync.platform.sockets import socket_path

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")

TESTING = "pytest" in sys.modules
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = Path(env.str("CRMSYNC_DATA", default=str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _secret(name: str, filename: str) -> str:
    """Return a secret from the environment, or make one in the data folder once.

    Generated secrets are for one machine: with an outside database several hosts
    share the rows, so there each of them must be given the same secret.
    """
    given = env.str(name, default="")
    if given:
        return str(given)
    if env.str("DATABASE_URL", default="") and not TESTING:
        raise ImproperlyConfigured(f"{name} must be set when DATABASE_URL is set.")
    path = DATA_DIR / filename
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


SECRET_KEY = _secret("SECRET_KEY", "secret_key")
# "id:secret,id:secret": the first encrypts, all of them decrypt.
ENCRYPTION_KEYS = [
    key if ":" in key else f"k1:{key}"
    for key in _secret("ENCRYPTION_KEYS", "encryption_keys").split(",")
]

PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
HTTPS = env.bool("HTTPS", default=PUBLIC_URL.startswith("https://"))
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if HTTPS else []
)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "crmsync.core",
    "leads",
    "integrations",
    "crmsync.core.adminconfig.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_standardized_errors",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_structlog",
    "csp",
]

MIDDLEWARE = [
    "crmsync.core.shortway.ShortWayMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "crmsync.platform.static.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crmsync.core.middleware.WorkspaceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "crmsync.urls"
ASGI_APPLICATION = "crmsync.asgi.application"
WSGI_APPLICATION = "crmsync.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crmsync.core.context.product",
            ],
        },
    }
]

# --- database ------------------------------------------------------------------

_DATABASE_URL = env.str("DATABASE_URL", default="")
EMBEDDED_DATABASE = not _DATABASE_URL


def _embedded_database() -> dict[str, object]:
    """SQLite that keeps an answered webhook through a power cut."""
    pragmas = (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
        "PRAGMA mmap_size=134217728;PRAGMA journal_size_limit=67108864;"
        "PRAGMA cache_size=-20000;"
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(DATA_DIR / "crmsync.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": pragmas,
        },
        # A file, because the ingest thread and live servers need the same rows.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
    }


def _outside_database() -> dict[str, object]:
    """PostgreSQL; a pool in the web process, a kept connection elsewhere.

    Django hands each ASGI request to a thread of its own, so without a pool every
    request would open a connection. Celery closes a pool after each task.
    """
    config = dict(env.db_url("DATABASE_URL"))
    pool = env.int("DB_POOL_MAX", default=0)
    if pool:
        config["CONN_MAX_AGE"] = 0
        config["OPTIONS"] = {
            **config.get("OPTIONS", {}),
            "pool": {"min_size": 1, "max_size": pool, "timeout": 10},
        }
    else:
        config["CONN_MAX_AGE"] = None
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASES = {
    "default": _embedded_database() if EMBEDDED_DATABASE else _outside_database()
}

# --- broker and cache -----------------------------------------------------------

_REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED_BROKER = not _REDIS_URL
# bin/demo says filesystem:// where no Redis or Valkey runs: no shared cache then.
_BROKER_URL = env.str("BROKER_URL", default="")
_FILES_ONLY = _BROKER_URL.startswith("filesystem:")
BROKER_SOCKET = socket_path(DATA_DIR)
CELERY_BROKER_URL = _BROKER_URL or _REDIS_URL or f"redis+socket://{BROKER_SOCKET}"
CACHE_URL = _REDIS_URL or f"unix://{BROKER_SOCKET}"
# What rate limits are shared through; the library has its own word for a socket.
LIMITS_URL = (
    "memory://" if _FILES_ONLY else _REDIS_URL or f"redis+unix://{BROKER_SOCKET}"
)
# Test processes side by side must not read each other's counters or messages.
_TEST_PREFIX = f"test-{env.str('PYTEST_XDIST_WORKER', default='gw')}-"
KEY_PREFIX = f"{_TEST_PREFIX if TESTING else ''}crmsync"
_REDIS_CACHE = {
    "BACKEND": "crmsync.core.cache.OpenRedisCache",
    "LOCATION": CACHE_URL,
    "KEY_PREFIX": KEY_PREFIX,
    "OPTIONS": {
        "SOCKET_CONNECT_TIMEOUT": 0.5,
        "SOCKET_TIMEOUT": 0.5,
        # A throttle that cannot reach its cache must not turn a page into a 500.
        "IGNORE_EXCEPTIONS": True,
    },
}
_FILE_CACHE = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": str(DATA_DIR / "cache"),
}
CACHES = {"default": _FILE_CACHE if _FILES_ONLY else _REDIS_CACHE}

# --- Celery: a wake-up carries nothing, the work item table is the truth -----------

CELERY_TASK_ACKS_LATE = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_ROUTES = {
    "integrations.tasks.process_deliveries": {"queue": "ingest"},
    "integrations.tasks.rush": {"queue": "urgent"},
    "integrations.tasks.*": {"queue": "sync"},
}
_REDIS_TRANSPORT = {
    # Without it a publish waits six seconds for a broker that is down.
    "max_retries": 0,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": not EMBEDDED_BROKER,
    "health_check_interval": 15,
    "visibility_timeout": 3600,
    "global_keyprefix": _TEST_PREFIX if TESTING else "",
}
_FILE_TRANSPORT = {
    "data_folder_in": str(DATA_DIR / "queue"),
    "data_folder_out": str(DATA_DIR / "queue"),
    "control_folder": str(DATA_DIR / "queue-control"),
    # The default looks once a second; measured, that is unusable.
    "polling_interval": 0.05,
}
CELERY_BROKER_TRANSPORT_OPTIONS = _FILE_TRANSPORT if _FILES_ONLY else _REDIS_TRANSPORT
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_DB_REUSE_MAX = 100
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# --- work items ------------------------------------------------------------------

# Twice the longest vendor call; extended before each call.
WORK_LEASE_S = env.int("WORK_LEASE_S", default=60)
# A drain gives its channel up after this long, so that others get their turn.
WORK_TIME_SLICE_S = env.int("WORK_TIME_SLICE_S", default=20)
# Calls a worker process may have under way at once, each in a thread of its own.
WORK_HANDS = env.int("WORK_HANDS", default=2 if EMBEDDED_DATABASE else 4)
SWEEP_EVERY_S = env.float("SWEEP_EVERY_S", default=2.0)

# --- operations --------------------------------------------------------------------

# What a scraper of /metrics must send; empty lets only private addresses in.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Several web processes add up their counters in files here.
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

# --- webhooks --------------------------------------------------------------------

WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", default=5 * 1024 * 1024)
WEBHOOK_BODY_TIMEOUT_S = env.int("WEBHOOK_BODY_TIMEOUT_S", default=30)
WEBHOOK_REJECTED_KEEP = env.int("WEBHOOK_REJECTED_KEEP", default=1000)
WEBHOOK_REJECTED_DAYS = env.int("WEBHOOK_REJECTED_DAYS", default=7)

# --- vendors: hosts are settings, so that a simulator or a sandbox can stand in ----

HUBSPOT_API_URL = env.str("HUBSPOT_API_URL", default="https://api.hubapi.com")
HUBSPOT_AUTH_URL = env.str("HUBSPOT_AUTH_URL", default="https://app.hubspot.com")
HUBSPOT_CLIENT_ID = env.str("HUBSPOT_CLIENT_ID", default="")
HUBSPOT_CLIENT_SECRET = env.str("HUBSPOT_CLIENT_SECRET", default="")

# Each org has its own API host, told at sign-in; the setting stands above it.
SALESFORCE_API_URL = env.str("SALESFORCE_API_URL", default="")
SALESFORCE_AUTH_URL = env.str(
    "SALESFORCE_AUTH_URL", default="https://login.salesforce.com"
)
SALESFORCE_CLIENT_ID = env.str("SALESFORCE_CLIENT_ID", default="")
SALESFORCE_CLIENT_SECRET = env.str("SALESFORCE_CLIENT_SECRET", default="")

# --- people and sessions ---------------------------------------------------------

AUTH_USER_MODEL = "core.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "crmsync.core.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())

# --- mail ------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="crmsync@example.com")
# Without a mail server, letters land in the data folder, where an admin finds them.
_EMAIL_URL = env.str("EMAIL_URL", default="") or f"filemail://{DATA_DIR}/mail"
EMAIL_CONFIG = env.email_url_config(_EMAIL_URL)
vars().update(EMAIL_CONFIG)

# --- security ----------------------------------------------------------------------

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- language, time, static -----------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "crmsync" / "static"]
WHITENOISE_USE_FINDERS = DEBUG or TESTING
_MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _PLAIN if DEBUG or TESTING else _MANIFEST},
}
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- API ----------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "crmsync.core.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["crmsync.core.api.permissions.RolePermission"],
    "DEFAULT_PAGINATION_CLASS": "crmsync.core.api.paging.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["crmsync.core.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["crmsync.core.api.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"caller": env.str("API_RATE", default="1200/minute")},
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["crmsync.core.api.parsers.StrictJSONParser"],
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "crmsync API",
    "DESCRIPTION": "Leads, companies, deals, activities, and how they are in step.",
    "VERSION": crmsync.__version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_standardized_errors.openapi_hooks.postprocess_schema_enums",
        "integrations.api.schema.describe_inbox",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActivityDirectionEnum": "leads.models.Activity.Direction",
        "ActivityKindEnum": "leads.models.Activity.Kind",
        "CampaignMemberStatusEnum": "leads.models.CampaignMember.Status",
        "ConflictStateEnum": "integrations.models.Conflict.State",
        "ConnectionStatusEnum": "integrations.models.Connection.Status",
        "CustomFieldTypeEnum": "leads.models.CustomField.Type",
        "DeliveryStateEnum": "integrations.models.Delivery.State",
        "LeadStatusEnum": "leads.models.Lead.Status",
        "LinkStateEnum": "integrations.models.Link.State",
        "MappingDirectionEnum": "integrations.models.ObjectMapping.Direction",
        "RecordTypeEnum": "leads.models.RecordType",
        "RoleEnum": "crmsync.core.roles.Role",
        "RunKindEnum": "integrations.models.Run.Kind",
        "RunStateEnum": "integrations.models.Run.State",
        "SideEnum": "integrations.models.Conflict.Winner",
        "StageOutcomeEnum": "leads.models.Stage.Outcome",
        "SyncOutcomeEnum": "integrations.models.SyncEntry.Outcome",
        "WorkStateEnum": "crmsync.core.models.work.State",
    },
}
_ERROR_CODES = ["400", "401", "403", "404", "409", "413", "415", "429"]
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "crmsync.core.api.handler.Handler",
    "ALLOWED_ERROR_STATUS_CODES": _ERROR_CODES,
    "ERROR_SCHEMAS": dict.fromkeys(
        _ERROR_CODES, "crmsync.core.api.errors.ErrorSerializer"
    ),
}

_SITE = "crmsync.core.adminsite"
UNFOLD = {
    "SITE_TITLE": "crmsync",
    "SITE_HEADER": "crmsync",
    "SITE_SUBHEADER": "Admin console",
    "SITE_URL": "/",
    "SITE_ICON": f"{_SITE}.logo",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": f"{_SITE}.logo"}
    ],
    "STYLES": [f"{_SITE}.stylesheet"],
    "SHOW_HISTORY": False,
    "SIDEBAR": {"show_search": True},
    # The product's accent, from light to dark.
    "COLORS": {
        "primary": {
            "50": "#eef2fe",
            "100": "#dfe7fd",
            "200": "#c6d3fb",
            "300": "#9db4ff",
            "400": "#6d8bf2",
            "500": "#4267e0",
            "600": "#2f56d9",
            "700": "#2444b4",
            "800": "#213b92",
            "900": "#1f3575",
            "950": "#162248",
        }
    },
}

# --- logs ----------------------------------------------------------------------------

LOGGING = logging_config(level=env.str("LOG_LEVEL", default="INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# An address on the network is a person's data.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# A request is one line, when it is done; a task says itself what it did.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
