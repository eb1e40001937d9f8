"""File formats → blocks with hints. One module a format; nothing here knows what a bulletin is."""
