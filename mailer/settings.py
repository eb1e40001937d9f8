"""Typed settings from `MAILER_*` environment variables; every bad value is reported at once, secrets never printed.

`docs/settings.md` describes each of them for operators, and a test proves that none is missing there.
"""

import ipaddress
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mailer.errors import SettingsError

RELAY_SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def _public_url(value: str) -> str:
    parts: SplitResult = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a web address such as https://news.example.org")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must have no user name, query or fragment")
    return value.rstrip("/")


def _relay_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in RELAY_SCHEMES or not parts.hostname:
        raise ValueError("must look like smtp+starttls://user:password@host:587 (or smtp://, smtps://)")
    return value


def _ehlo_name(value: str | None) -> str | None:
    # RFC 5321 section 4.1.1.1: a host name, or an address literal.
    if value and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Za-z0-9:.]+\]", value):
        raise ValueError("must be a host name such as mail.example.org, or an address in brackets")
    return value or None


def _source_address(value: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(value)) if value else None
    except ValueError:
        raise ValueError("must be an IP address of this host") from None


def _dns_server(value: str | None) -> str | None:
    if not value:
        return None
    try:
        parts = urlsplit(f"//{value}")
        ipaddress.ip_address(parts.hostname or "")
        is_good = parts.port != 0 and not parts.path
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError("must be an IP address, with a port behind it where that is not 53: 192.0.2.1:5353")
    return value


def _directory_hosts(value: str) -> str:
    named = [entry.strip().lower() for entry in value.split(",") if entry.strip()]
    for entry in named:
        parts = urlsplit(f"//{entry}")
        try:
            is_good = bool(parts.hostname) and parts.netloc == entry and parts.username is None and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good:
            raise ValueError(
                "must be hosts by commas, each with a port where only that one is meant: ldap.example.org:636"
            )
    return ",".join(named)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not a time zone of the tz database, such as Asia/Shanghai")
    ZoneInfo(value)
    return value


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:
        raise ValueError("must have at least 32 characters; make one with: openssl rand -base64 48")
    return value


class Settings(BaseSettings):
    """What an operator may set. Field `x_y` is the environment variable `MAILER_X_Y`."""

    model_config = SettingsConfigDict(env_prefix="MAILER_", extra="ignore", frozen=True)

    database_url: SecretStr = Field(description="PostgreSQL, as postgresql://user:password@host/name")
    redis_url: SecretStr = Field(description="Redis: broker, rate limits and caches; holds nothing that cannot be lost")
    relay_url: Annotated[SecretStr, AfterValidator(_relay_url)] = Field(
        description="The SMTP relay used where the admin has set up none: smtp://, smtps:// or smtp+starttls://"
    )
    secret_key: Annotated[SecretStr, AfterValidator(_secret)] = Field(
        description="Signs links, sessions and sealed passwords; change it and every link ever mailed stops working"
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        description="Where readers reach this server; every link in a mail begins with it"
    )
    data_dir: Path = Field(default=Path(".mailer"), description="Journals of the workers; embedded services' data")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="Asia/Shanghai", description="Times on pages, and the zone of new newsletters"
    )
    sender_name: str = Field(default="Mailer", min_length=1, description="From name of letters to accounts")
    sender_address: str = Field(
        default="mailer@localhost.localdomain", description="From address of letters to accounts"
    )
    ehlo_name: Annotated[str | None, AfterValidator(_ehlo_name)] = Field(
        default=None, description="Name given in EHLO; the host's own when empty"
    )
    source_address: Annotated[str | None, AfterValidator(_source_address)] = Field(
        default=None, description="Local IP address that mail is sent from; the system's choice when empty"
    )
    smtp_connect_seconds: float = Field(
        default=30, gt=0, le=3600, description="Seconds for a connection to the relay to open"
    )
    smtp_tls_seconds: float = Field(default=60, gt=0, le=3600, description="Seconds for TLS to be agreed on")
    smtp_greeting_seconds: float = Field(default=300, gt=0, le=3600, description="Seconds for the relay's greeting")
    smtp_command_seconds: float = Field(
        default=300, gt=0, le=3600, description="Seconds for the reply to EHLO, STARTTLS or AUTH"
    )
    smtp_mail_seconds: float = Field(default=300, gt=0, le=3600, description="Seconds for the reply to MAIL")
    smtp_rcpt_seconds: float = Field(default=300, gt=0, le=3600, description="Seconds for the reply to RCPT")
    smtp_data_seconds: float = Field(default=120, gt=0, le=3600, description="Seconds for the reply to DATA")
    smtp_block_seconds: float = Field(
        default=180, gt=0, le=3600, description="Seconds for one stretch of content to leave this machine"
    )
    smtp_content_seconds: float = Field(
        default=600, gt=0, le=3600, description="Seconds for the reply to the final dot"
    )
    smtp_quit_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds for the reply to QUIT; nobody waits for it"
    )
    dns_server: Annotated[str | None, AfterValidator(_dns_server)] = Field(
        default=None,
        description="DNS server asked for DKIM records: ADDRESS or ADDRESS:PORT; the system's when empty",
    )
    link_check_private: bool = Field(
        default=False, description="Whether links into private networks are followed when an issue's links are checked"
    )
    lease_seconds: int = Field(default=120, ge=10, le=3600, description="How long a worker may hold a claimed delivery")
    batch_size: int = Field(default=1000, ge=1, le=5000, description="Deliveries claimed at once")
    connections: int = Field(default=10, ge=1, le=200, description="SMTP connections of one worker process")
    senders: int = Field(default=1, ge=1, le=64, description="Processes of one host that send mailings at a time")
    give_up_hours: int = Field(default=72, ge=1, le=240, description="A delivery deferred this long expires")
    sign_ups_per_ip: int = Field(default=10, ge=1, le=10_000, description="Sign-ups from one network address an hour")
    sign_ups_per_network: int = Field(
        default=30, ge=1, le=100_000, description="Sign-ups from one network (/24, /48) an hour"
    )
    sign_ups_per_hour: int = Field(
        default=40, ge=1, le=100_000, description="Sign-ups an hour, all together, before a proof of work is asked for"
    )
    sign_ups_without_proof: int = Field(
        default=20, ge=0, le=100_000, description="Sign-ups an hour beyond that from browsers without script"
    )
    sign_ups_with_proof: int = Field(
        default=1000, ge=1, le=100_000, description="Sign-ups an hour with a proof of work"
    )
    disposable_domains_file: Path | None = Field(
        default=None, description="Domains of throw-away addresses, one a line, that may not sign up"
    )
    check_mx: bool = Field(default=False, description="Ask the DNS whether the domains of readers take mail")
    letter_days: int = Field(default=30, ge=1, le=3650, description="How long the content of a letter is kept")
    refusal_days: int = Field(default=30, ge=1, le=3650, description="How long an import's refused lines are kept")
    event_trace_days: int = Field(
        default=190, ge=1, le=3650, description="How long an open or click keeps its network address and browser"
    )
    reply_days: int = Field(
        default=400, ge=1, le=3650, description="How long servers' replies, which quote addresses, are kept"
    )
    consent_trace_days: int = Field(
        default=1095, ge=180, le=36_500, description="How long a consent keeps its network address and browser"
    )
    privacy_contact: str = Field(
        default="", max_length=300, description="Who answers for personal data, shown on the privacy notice"
    )
    max_upload_mb: int = Field(
        default=20, ge=1, le=200, description="Largest document an editor may upload; of several, all together"
    )
    document_files: int = Field(default=40, ge=1, le=200, description="Files that make one issue at most")
    document_seconds: int = Field(default=40, ge=5, le=600, description="Seconds that reading one upload may take")
    document_memory_mb: int = Field(
        default=1024, ge=256, le=16_384, description="Address space of the process that reads a document"
    )
    document_pages: int = Field(default=600, ge=1, le=10_000, description="Pages of a PDF")
    document_lines: int = Field(default=50_000, ge=100, le=1_000_000, description="Lines or paragraphs of a document")
    document_pictures: int = Field(default=60, ge=0, le=500, description="Pictures of a document that are kept")
    document_pictures_mb: int = Field(default=60, ge=1, le=500, description="Bytes of a document's pictures, together")
    document_unpacked_mb: int = Field(default=200, ge=1, le=2000, description="What a .docx may unpack to")
    document_part_mb: int = Field(default=40, ge=1, le=500, description="What one part of a .docx may unpack to")
    document_parts: int = Field(default=4000, ge=10, le=100_000, description="Parts of a .docx")
    document_ratio: int = Field(
        default=200, ge=10, le=2000, description="How many times its size a part of a .docx may unpack to"
    )
    max_import_mb: int = Field(default=200, ge=1, le=4096, description="Largest file of subscribers to import")
    directory_dir: Path | None = Field(
        default=None, description="The one folder below which directories may be read from files; none when empty"
    )
    directory_hosts: Annotated[str, AfterValidator(_directory_hosts)] = Field(
        default="",
        description="Hosts of our own network that directories may be read from (HOST or HOST:PORT, by commas)",
    )
    directory_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) that servers of directories are checked against, besides usual ones",
    )
    session_hours: int = Field(default=12, ge=1, le=720, description="A sign-in ends after this long without use")
    proxies: int = Field(default=0, ge=0, le=5, description="Trusted reverse proxies before the web server")
    mailbox_dir: Path | None = Field(
        default=None, description="Maildir of the capturing mailbox; only `mailer run` sets it, never in production"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Least level logged")

    @property
    def is_https(self) -> bool:
        """Whether readers come by HTTPS: cookies are Secure and HSTS is sent then."""
        return self.public_url.startswith("https://")


def load_settings() -> Settings:
    """Reads the environment. Raises `SettingsError` that names every bad or missing variable, without its value."""
    try:
        return Settings()
    except ValidationError as error:
        problems = []
        for detail in error.errors(include_url=False, include_input=False):
            name = "MAILER_" + "_".join(str(part) for part in detail["loc"]).upper()
            reason = "is not set" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {reason}")
        raise SettingsError(problems) from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once."""
    return load_settings()
