"""Mailer: a self-hosted service that publishes a periodical by email. `docs/design.md` is the map of the house."""
