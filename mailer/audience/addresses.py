"""Addresses, as the audience's callers know them; reading them stands on the ground floor (`mailer.addresses`)."""

from mailer.addresses import Address, mend, parse_address, readable

__all__ = ["Address", "mend", "parse_address", "readable"]
