"""All settings. One environment variable each turns on PostgreSQL, Redis or S3; none is needed to start."""

from pathlib import Path
from typing import Any

import dj_database_url

from hubsite.settings import env
from hubsite.settings.secret import secret_key

ROOT = Path(__file__).resolve().parents[2]

# Where databases, blobs, indexes and queues live when no service is configured.
DATA_DIR = env.folder("HUB_DATA_DIR", ROOT / ".hub")

DEBUG = env.flag("HUB_DEBUG", default=False)
SECRET_KEY = secret_key(DATA_DIR)
ALLOWED_HOSTS = env.names("HUB_ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]", "testserver"))
# Where the site is reached from outside, for links in e-mails and for workers; requests use their own host.
PUBLIC_URL = env.text("HUB_PUBLIC_URL", "http://127.0.0.1:8000")
CSRF_FAILURE_VIEW = "hubsite.web.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.names("HUB_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
if env.flag("HUB_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    # For its own copies of the API documentation's scripts and styles: no CDN.
    "ninja",
    "hubsite.core",
    "hubsite.storage",
    "hubsite.accounts",
    "hubsite.registry",
    "hubsite.validation",
    "hubsite.search",
    "hubsite.hfapi",
    "hubsite.api",
    "hubsite.web",
    "hubsite.launch",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
# The model-hub protocol has no trailing slashes, and a redirect would lose its request bodies.
APPEND_SLASH = False
ROOT_URLCONF = "hubsite.urls"
WSGI_APPLICATION = "hubsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# WAL lets readers go on while one process writes; IMMEDIATE makes a second writer wait instead of failing.
_SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}
DATABASES = {
    "default": dj_database_url.parse(
        env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'hub.sqlite3'}"), conn_max_age=60
    ),
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
    # Tests use a file too: threads and processes then meet the locks that users meet.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# Sign-up makes the namespace of the user's name, under the hub's rules for names.
ACCOUNT_ADAPTER = "hubsite.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"

# Without a mail server, letters are written to the site's log.
EMAIL_HOST = env.text("HUB_SMTP_HOST")
EMAIL_PORT = env.integer("HUB_SMTP_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.text("HUB_SMTP_USER")
EMAIL_HOST_PASSWORD = env.text("HUB_SMTP_PASSWORD")
EMAIL_USE_TLS = env.flag("HUB_SMTP_TLS", default=True)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("HUB_MAIL_FROM", "hub@localhost")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [ROOT / "hubsite" / "web" / "assets"]
# Without collectstatic, so that a check-out runs as it is.
WHITENOISE_USE_FINDERS = True

# Blobs: a local folder unless a bucket is named.
BLOB_DIR = DATA_DIR / "blobs"
S3_BUCKET = env.text("HUB_S3_BUCKET")
S3_ENDPOINT_URL = env.text("HUB_S3_ENDPOINT_URL")
S3_REGION = env.text("HUB_S3_REGION", "us-east-1")

SEARCH_INDEX_DIR = DATA_DIR / "search"

# Queue: Redis if it is named, else a folder (a broker that needs no server).
REDIS_URL = env.text("REDIS_URL")
QUEUE_DIR = DATA_DIR / "queue"
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
# Queue messages are wake-ups only: the runs' rows are the truth, so nothing waits for a result.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("HUB_LOG_LEVEL", "INFO")},
}

# Largest sizes an upload may have, in bytes, and how many files.
MAX_FILE_SIZE = env.integer("HUB_MAX_FILE_SIZE", 5 * 1024**3, minimum=1)
MAX_COMMIT_BODY = env.integer("HUB_MAX_COMMIT_BODY", 400 * 1024**2, minimum=1)
MAX_ADAPTER_FILES = env.integer("HUB_MAX_ADAPTER_FILES", 200, minimum=1)
MAX_ADAPTER_SIZE = env.integer("HUB_MAX_ADAPTER_SIZE", 2 * 1024**3, minimum=1)

# Limits of one validation child: seconds of wall clock, bytes of memory above the resident backbone.
VALIDATION_SECONDS = env.integer("HUB_VALIDATION_SECONDS", 600, minimum=1)
VALIDATION_MEMORY = env.integer("HUB_VALIDATION_MEMORY", 4 * 1024**3, minimum=1)
VALIDATION_ATTEMPTS = env.integer("HUB_VALIDATION_ATTEMPTS", 5, minimum=1)
# A run whose worker has not reported for this many seconds belongs to a dead worker.
VALIDATION_STALE_SECONDS = env.integer("HUB_VALIDATION_STALE_SECONDS", 30, minimum=2)
# Folders with backbones, one subfolder per `namespace/name`, looked at after the hub's own repos.
BACKBONE_DIR = env.text("HUB_BACKBONE_DIR")
