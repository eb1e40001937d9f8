"""Directories: people an institution keeps elsewhere (LDAP, a nightly table) and sends to by office.

`registry` keeps them, `runs` says when they are read, `syncing` is what a worker does: `fetching` brings a table from
one of three sources, `comparing` says in sets what is new, changed and gone, and carries it out. See
`docs/audience.md`.
"""
