"""Settings, read once from the environment; a secret ``X`` may come from a file, ``X_FILE``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.limits import LIST_BYTES, Limits
from observability.instrument import redaction
from observability.instrument.logs import LEVELS, LogSettings
from observability.instrument.sampling import SAMPLERS
from observability.instrument.tracing import TraceSettings

COURSE = "super_safe!"  # the simulator's password in the course


class SettingsError(Exception):
    """A setting is missing or wrong; names the variable and, unless secret, its value."""


class Secret:
    """Text that is masked in every repr, log line and traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings that both services share."""

    host: str
    port: int
    drain_seconds: float  # how long a stopping replica still serves
    trusted_proxies: str  # comma-separated networks whose forwarded headers are trusted
    limits: Limits
    log: LogSettings
    trace: TraceSettings


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The address of PostgreSQL, and how many seconds a request may wait for it."""

    url: Secret
    pool_size: int
    pool_timeout: float
    statement_timeout: float


@dataclass(frozen=True, slots=True)
class Probe:
    """The user of the synthetic probe, who logs in and posts; disabled without a name."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of api alone."""

    database: DatabaseSettings
    simulator_user: str
    simulator_password: Secret
    hash_threads: int
    register_timeout: float  # seconds that a registration without a deadline waits
    list_bytes: int
    probe: Probe


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of web alone."""

    api_url: str
    page_timeout: float  # seconds for all that a page asks of api
    secret_key: Secret
    secure_cookies: bool


class Environment:
    """Typed access to environment variables; every error names the variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """Return a plain value; an empty one counts as absent."""
        value = self._variables.get(name) or default
        if value is None:
            raise SettingsError(f"{name} is not set")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number between ``low`` and ``high``, inclusive."""
        raw = self._variables.get(name) or str(default)
        try:
            value = float(raw)
        except ValueError:
            raise SettingsError(f"{name} must be a number, not {raw!r}") from None
        if not low <= value <= high:
            raise SettingsError(f"{name} must be from {low:g} to {high:g}, not {raw}")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return an integer between ``low`` and ``high``, inclusive."""
        value = self.number(name, default, low, high)
        if value != int(value):
            raise SettingsError(f"{name} must be a whole number, not {value:g}")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean: 1, true, yes, on or 0, false, no, off."""
        raw = (self._variables.get(name) or str(default)).lower()
        if raw not in _FLAGS:
            raise SettingsError(f"{name} must be one of {', '.join(_FLAGS)}, not {raw!r}")
        return _FLAGS[raw]

    def secret(self, name: str, default: str | None = None) -> Secret:
        """Return the value of ``name``, or of the file in ``name``_FILE; it will be redacted."""
        secret = self._secret(name, default)
        redaction.know(secret.reveal())
        return secret

    def _secret(self, name: str, default: str | None) -> Secret:
        path = self._variables.get(f"{name}_FILE")
        if not path:
            return Secret(self.text(name, default))
        try:
            text = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE: cannot read {path}: {error}") from None
        if not text:
            raise SettingsError(f"{name}_FILE: {path} is empty")
        return Secret(text)


_FLAGS = {"1": True, "true": True, "yes": True, "on": True,
          "0": False, "false": False, "no": False, "off": False}  # fmt: skip


def server(env: Environment, port: int) -> ServerSettings:
    """Read the settings that both services share; ``port`` is the service's default."""
    level = env.text("LOG_LEVEL", "info").lower()
    if level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}")
    file = env.text("LOG_FILE", "")
    return ServerSettings(
        host=env.text("HOST", "127.0.0.1"),
        port=env.whole("PORT", port, 0, 65535),
        drain_seconds=env.number("DRAIN_SECONDS", 0, 0, 300),
        trusted_proxies=env.text("TRUSTED_PROXIES", "127.0.0.1,::1"),
        limits=Limits(
            body_seconds=env.number("BODY_SECONDS", 20, 0.1, 600),
            write_seconds=env.number("WRITE_SECONDS", 20, 0.1, 600),
            answer_bytes=env.whole("ANSWER_BYTES", 32 * 1024**2, 2 * 1024**2, 2**32),
            body_bytes=env.whole("BODY_BYTES", 256 * 1024, 1024, 2**30),
        ),
        log=LogSettings(
            level=level,
            stdout=env.flag("LOG_STDOUT", True),
            file=Path(file) if file else None,
            file_bytes=env.whole("LOG_FILE_BYTES", 50_000_000, 10_000, 10**10),
            file_count=env.whole("LOG_FILE_COUNT", 3, 1, 100),
            # Promtail ships the file: pushing as well would duplicate each line.
            loki="" if file else loki(env),
        ),
        trace=_trace(env),
    )


def loki(env: Environment) -> str:
    """Return the URL to which processes without a log file push to Loki, or ''."""
    return _address(env, "LOKI_URL", "").reveal()


def _trace(env: Environment) -> TraceSettings:
    """Read OpenTelemetry's variables; also those that only the SDK uses, to validate them."""
    endpoint = _address(env, "OTEL_EXPORTER_OTLP_ENDPOINT", "").reveal()
    for pair in env.secret("OTEL_EXPORTER_OTLP_HEADERS", "").reveal().split(","):
        redaction.know(unquote(pair.partition("=")[2].strip()))
    env.number("OTEL_EXPORTER_OTLP_TIMEOUT", 10, 0.001, 3600)
    sampler = env.text("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    if sampler not in SAMPLERS:
        known = ", ".join(SAMPLERS)
        raise SettingsError(f"OTEL_TRACES_SAMPLER must be one of {known}, not {sampler!r}")
    ratio = env.number("OTEL_TRACES_SAMPLER_ARG", 0.05, 0, 1)
    disabled = env.flag("OTEL_SDK_DISABLED", False)
    return TraceSettings("" if disabled else endpoint, sampler, ratio)


def _address(env: Environment, name: str, default: str) -> Secret:
    """Return an HTTP or HTTPS URL; errors hide it, as it may hold a password."""
    address = env.secret(name, default)
    text = address.reveal()
    try:
        good = not text or (urlsplit(text).scheme in ("http", "https") and urlsplit(text).hostname)
    except ValueError:
        good = False
    if not good:
        raise SettingsError(f"{name} must be an address that begins with http:// or https://")
    return address


def database(env: Environment) -> DatabaseSettings:
    """Read the database settings."""
    return DatabaseSettings(
        url=_database_url(env),
        pool_size=env.whole("POOL_SIZE", 10, 1, 1000),
        pool_timeout=env.number("POOL_TIMEOUT", 0.25, 0.01, 60),
        statement_timeout=env.number("STATEMENT_TIMEOUT", 2, 0.01, 600),
    )


def _database_url(env: Environment) -> Secret:
    """Return a libpq connection URL; errors do not show it, as it holds a password."""
    url = env.secret("DATABASE_URL")
    try:
        options = str(conninfo_to_dict(url.reveal()).get("options") or "")
    except psycopg.ProgrammingError:
        raise SettingsError("DATABASE_URL must be like postgresql://user@host/name") from None
    if "search_path" in options.replace("-", "_").lower():
        raise SettingsError("DATABASE_URL must not set search_path: the tables are in public")
    return url


def roles(env: Environment) -> str:
    """Return the list of database roles besides the owner, for ``app.database.roles``."""
    text = env.secret("DATABASE_ROLES", "# none").reveal()
    for line in text.splitlines():
        if not line.startswith("#"):
            redaction.know(line.rpartition(" ")[2])  # the password
    return text


def api(env: Environment) -> ApiSettings:
    """Read the settings of api."""
    return ApiSettings(
        database=database(env),
        simulator_user=env.text("SIMULATOR_USER", "simulator"),
        # The course's password is public: no default where others can connect.
        simulator_password=env.secret("SIMULATOR_PASSWORD", COURSE if _loopback(env) else None),
        hash_threads=env.whole("HASH_THREADS", 1, 1, 64),
        register_timeout=env.number("REGISTER_TIMEOUT", 0.25, 0.05, 2),
        list_bytes=env.whole("LIST_BYTES", LIST_BYTES, 100_000, 2**30),
        probe=_probe(env),
    )


def warning(env: Environment) -> str:
    """Return the warning that anyone may post as anyone; '' if that is not so."""
    known = env.secret("SIMULATOR_PASSWORD", COURSE).reveal() == COURSE
    return "" if _loopback(env) or not known else (
        "SIMULATOR_PASSWORD is the course's, which is public: anyone who can connect may post"
        " as anyone"
    )  # fmt: skip


def _loopback(env: Environment) -> bool:
    host = env.text("HOST", "127.0.0.1")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _probe(env: Environment) -> Probe:
    user = env.text("PROBE_USER", "")
    return Probe(user, env.secret("PROBE_PASSWORD") if user else Secret(""))


def web(env: Environment) -> WebSettings:
    """Read the settings of web. Without SECRET_KEY, flashes are lost when the process ends."""
    api_url = env.text("API_URL", "http://127.0.0.1:5001").rstrip("/")
    if not api_url.startswith(("http://", "https://")):
        raise SettingsError(f"API_URL must begin with http:// or https://, not {api_url!r}")
    return WebSettings(
        api_url=api_url,
        page_timeout=env.number("PAGE_TIMEOUT", 2, 0.5, 60),
        secret_key=env.secret("SECRET_KEY", secrets.token_urlsafe(32)),
        secure_cookies=env.flag("SECURE_COOKIES", False),
    )
