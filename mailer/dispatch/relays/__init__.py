"""Which relays there are, which may be used, and whether they answer."""
