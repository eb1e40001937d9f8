"""Where the files that are not Python lie: templates, translations and built assets.

In a checkout `templates/` stands beside the package; in a wheel it travels inside it (see `[tool.hatch]` in
`pyproject.toml`). Nothing else in the code may guess at either.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _templates() -> Path:
    inside = PACKAGE / "templates"
    return inside if inside.is_dir() else PACKAGE.parent / "templates"


TEMPLATES: Path = _templates()
TRANSLATIONS: Path = PACKAGE / "translations"
STATIC: Path = PACKAGE / "web" / "static"
MIGRATIONS: Path = PACKAGE / "migrations"
