"""How mail travels to its server: what the configuration names, without what sends it."""

from enum import StrEnum


class MailSecurity(StrEnum):
    """How a connection to the server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"
    """Only to a server on this machine."""
