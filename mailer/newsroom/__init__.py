"""What is written: a document becomes an issue, an issue an edition.

Callers import the modules themselves (`parsing`, `importing`, `editing`, `compiling`, `approval`, `editions`,
`proofs`, `listing`), so that parsing a document loads neither SQLAlchemy nor the press.
"""
