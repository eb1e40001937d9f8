"""Signatures: keys of a domain, which of them sign, what the DNS should say, and signing itself."""
