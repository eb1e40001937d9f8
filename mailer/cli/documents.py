"""`mailer parse` and `mailer compile`: a document to structure and to mail, without database, Redis or settings."""

import json
import sys
from pathlib import Path

import click

from mailer.cli import EXIT_REFUSED, EXIT_UNREADABLE
from mailer.errors import CompositionError, UnreadableError
from mailer.newsroom.parsing import parse_file
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.outline import outline

Document = click.Path(path_type=Path, dir_okay=False, allow_dash=False)


def read_document(path: Path) -> ParsedBulletin:
    """The bulletin in the file `path`; ends the program with exit code 2 and one line when it cannot be read."""
    try:
        return parse_file(path)
    except OSError as error:
        click.echo(f"mailer: {path}: {error.strerror}", err=True)
    except UnreadableError as error:
        where = f" ({error.place})" if error.place else ""
        click.echo(f"mailer: {path}: {error}{where}", err=True)
    sys.exit(EXIT_UNREADABLE)


@click.command()
@click.argument("file", type=Document)
@click.option("--json", "as_json", is_flag=True, help="Print the structure as JSON (docs/commands.md gives its keys).")
def parse(file: Path, as_json: bool) -> None:
    """Reads a bulletin into masthead, contents, articles and colophon, and prints what it found."""
    bulletin = read_document(file)
    if as_json:
        click.echo(json.dumps(bulletin.as_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(outline(bulletin, "en"))


@click.command("compile")
@click.argument("file", type=Document)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for edition.html, edition.txt and sample.eml; made when it is not there.",
)
@click.option("--theme", default="bulletin", show_default=True, help="A folder of templates/email/.")
@click.option("--pdf", "is_printed", is_flag=True, help="Also the print edition: edition.pdf.")
def compile_command(file: Path, out: Path, theme: str, is_printed: bool) -> None:
    """Compiles a bulletin to mail: the HTML and text parts, and the message as it would go to one subscriber."""
    from mailer.newsroom.sampling import compile_sample, print_sample

    bulletin = read_document(file)
    try:
        sample = compile_sample(bulletin, theme=theme)
        printed = print_sample(bulletin, theme=theme) if is_printed else None
    except CompositionError as error:
        for problem in error.problems:
            click.echo(f"mailer: {file}: {problem}", err=True)
        sys.exit(EXIT_REFUSED)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "edition.html").write_text(sample.html, encoding="utf-8")
        (out / "edition.txt").write_text(sample.text, encoding="utf-8")
        (out / "sample.eml").write_bytes(sample.message)
        if printed is not None:
            (out / "edition.pdf").write_bytes(printed)
    except OSError as error:
        click.echo(f"mailer: {error.filename or out}: {error.strerror}", err=True)
        sys.exit(EXIT_REFUSED)
    names = "edition.html, edition.txt, sample.eml" + (", edition.pdf" if printed is not None else "")
    click.echo(f"{out}: {names} ({sample.subject})")
