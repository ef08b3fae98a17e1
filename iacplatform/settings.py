"""Settings, all from the environment; `docs/configuration.md` lists the variables."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

from iacplatform import addresses, postgres
from iacplatform.base import keys

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

HOME = Path(env.str("IACPLATFORM_HOME", default=str(BASE_DIR / ".iacplatform"))).absolute()
DEBUG = env.bool("IACPLATFORM_DEBUG", default=False)
SECRET_KEY = env.str("IACPLATFORM_SECRET_KEY", default="") or keys.secret_key(HOME)
ENCRYPTION_KEYS = keys.well_formed(env.str("IACPLATFORM_ENCRYPTION_KEYS", default="") or keys.encryption_keys(HOME))

PUBLIC_URL = env.str("IACPLATFORM_URL", default="http://127.0.0.1:8000").rstrip("/")
_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", PUBLIC_URL.split("//")[-1].split(":")[0].split("/")[0]]
)
CSRF_TRUSTED_ORIGINS = env.list("IACPLATFORM_TRUSTED_ORIGINS", default=[PUBLIC_URL])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    "axes",
    "iacplatform.base",
    "pools",
    "workspaces",
    "tasks",
    "agents",
    "iacplatform.apps.PlatformConfig",
    "iacplatform.console",
    "django_q",  # last, so that our qcluster command counts and not its own
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "iacplatform.urls"
ASGI_APPLICATION = "iacplatform.asgi.application"

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
            ]
        },
    }
]

# A stalled process must not hold a row or the dispatch of a pool for long (research: scheduling, section 5).
_SESSION = "-c lock_timeout=2000 -c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000"
_GIVEN = env.str("DATABASE_URL", default="")
_DATABASE: dict[str, Any] = env.db_url_config(addresses.database(_GIVEN) if _GIVEN else postgres.address(HOME))
_DATABASE.setdefault("OPTIONS", {}).update(options=_SESSION, pool={"min_size": 0, "max_size": 16, "timeout": 5})
DATABASES = {"default": {**_DATABASE, "ENGINE": "django.db.backends.postgresql", "TEST": {"OPTIONS": {}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
_REDIS_LAYER = {"BACKEND": "iacplatform.base.redis_layer.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
_OWN_LAYER = {"BACKEND": "iacplatform.base.channel_layer.PostgresChannelLayer"}
CHANNEL_LAYERS = {"default": _REDIS_LAYER if REDIS_URL and addresses.redis(REDIS_URL) else _OWN_LAYER}

Q_CLUSTER = {
    "name": "iacplatform",
    "label": "Jobs",
    "orm": "default",
    "workers": env.int("IACPLATFORM_WORKERS", default=4),  # one sweeps; a cluster that hangs holds one at most
    "timeout": 60,
    "retry": 90,  # longer than the time-out, or a running job is handed out a second time
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "poll": 0.2,
    "save_limit": 250,
    "scheduler": True,
}

# An agent that is silent for so long is given up. Shorter: a dead one is found sooner, a slow network looks like death.
AGENT_LEASE_SECONDS = max(5, env.int("IACPLATFORM_AGENT_LEASE_SECONDS", default=45))

# A pool of pods keeps what it needs no more for so long. Shorter: pods go sooner, and are made again more often.
POOL_STABLE_SECONDS = max(0, env.int("IACPLATFORM_POOL_STABLE_SECONDS", default=120))

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # served from the packages themselves: nothing to collect

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who waits is told for how long, and that has to stay true
AXES_CLIENT_IP_CALLABLE = "iacplatform.lockout.address"
AXES_LOCKOUT_CALLABLE = "iacplatform.lockout.answer"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_AGE = 12 * 3600
SECURE_SSL_REDIRECT = _HTTPS and env.bool("IACPLATFORM_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # probes ask on the inside, without TLS
SECURE_HSTS_SECONDS = 31536000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
BEHIND_PROXY = env.bool("IACPLATFORM_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # a JSON body; larger bodies have views of their own, with their own limit
# An uploaded archive (tar.gz) of a configuration; larger ones are refused before anything is stored.
CONFIGURATION_MAX_BYTES = max(1, env.int("IACPLATFORM_CONFIGURATION_MAX_BYTES", default=100 * 1024 * 1024))
STATE_MAX_BYTES = 64 * 1024 * 1024
PLAN_PART_MAX_BYTES = 64 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "iacplatform.base.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["iacplatform.base.rights.ModelRights"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["iacplatform.base.bodies.BoundedJSON"],
    "DEFAULT_PAGINATION_CLASS": "iacplatform.base.pages.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "iacplatform.schema.Described",
    "EXCEPTION_HANDLER": "iacplatform.api.problem",
    "PAGE_SIZE": 50,
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "IaC Platform",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/(api|agents)/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["iacplatform.schema.nameable"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "iacplatform.schema.with_problem",
    ],
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "tasks.states.Status",
        "PhaseEnum": "tasks.states.Phase",
        "TaskTypeEnum": "tasks.states.TaskType",
        "ConfigurationKindEnum": "workspaces.models.Kind",
    },
}

# Django's default prints local variables of a failure to the console when DEBUG is on; ours never does.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "iacplatform.base.logs.Line"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.channels.server": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},  # the sweep is a job every two seconds
        "httpx": {"level": "WARNING"},
    },
}
