"""What kinds of documents can be read, and which kind a file really is: its bytes decide, its name only helps."""

from enum import StrEnum
from io import BytesIO
from pathlib import PurePath

from mailer.errors import UnreadableError
from mailer.i18n import N_


class Kind(StrEnum):
    """A file format with a reader of its own."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    DOCX = "docx"
    PDF = "pdf"


# The one list of what may be uploaded; pages, commands and sentences ask it.
BY_EXTENSION = {
    ".txt": Kind.TEXT,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".docx": Kind.DOCX,
    ".pdf": Kind.PDF,
}
SUPPORTED = tuple(BY_EXTENSION)
NAMES = {Kind.TEXT: "text", Kind.MARKDOWN: "Markdown", Kind.HTML: "HTML", Kind.DOCX: "Word", Kind.PDF: "PDF"}
_OTHERS = (
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
)
_OLE = b"\xd0\xcf\x11\xe0"
# In the directory of an OLE file, names are UTF-16; an encrypted .docx is one.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def kind_of_file(content: bytes, filename: str) -> Kind:
    """The kind to read a file as. Raises `UnreadableError` for what has no reader, with what to do about it.

    A name of one kind with the bytes of another that can be read is read as what it is: people rename files.
    """
    named = BY_EXTENSION.get(PurePath(filename).suffix.lower())
    if named is None:
        raise UnreadableError(
            N_("Files of this kind cannot be read yet. What can be read: %(supported)s"),
            supported=", ".join(SUPPORTED),
        )
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\f\v")
    if not head and not content.removeprefix(b"\xef\xbb\xbf").strip() and named not in {Kind.TEXT, Kind.MARKDOWN}:
        raise UnreadableError(N_("The file is empty."))
    found = _kind_by_bytes(content, head, named)
    if found is not None:
        return found
    if named in {Kind.DOCX, Kind.PDF}:
        raise UnreadableError(
            N_("The file is called %(name)s but is no %(kind)s document; perhaps it is damaged. Save it again."),
            name=PurePath(filename).name[-60:],
            kind=NAMES[named],
        )
    return named


def _kind_by_bytes(content: bytes, head: bytes, named: Kind) -> Kind | None:
    """The kind that the first bytes prove; `None` for text, which proves nothing."""
    if head.startswith(b"%PDF-") or (named is Kind.PDF and b"%PDF-" in head[:1024]):
        return Kind.PDF
    if content.startswith(b"PK\x03\x04"):
        _require_word(content)
        return Kind.DOCX
    if content.startswith(_OLE):
        if _ENCRYPTED in content:
            raise UnreadableError(N_("The document is protected by a password. Save it without one and try again."))
        raise UnreadableError(
            N_("The file is a document of Word 97–2003 or WPS. Open it there, save it as .docx, and try that.")
        )
    lower = head[:512].lower()
    if lower.startswith((b"<!doctype html", b"<html")) or (lower.startswith(b"<?xml") and b"<html" in head.lower()):
        return Kind.HTML
    for magic, kind in _OTHERS:
        if head.startswith(magic):
            raise UnreadableError(N_("The file is no document that can be read but %(kind)s."), kind=kind)
    if lower.startswith(b"<?xml"):
        raise UnreadableError(N_("The file is no document that can be read but %(kind)s."), kind="XML")
    return None


def _require_word(content: bytes) -> None:
    """Raises unless a ZIP file is a word-processor document without macros."""
    import zipfile  # the reading process asks for names of kinds only, and loads nothing that it does not use

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = {name.lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise UnreadableError(
            N_("The document is damaged: its parts cannot be unpacked. Save it again and try that.")
        ) from error
    if any(name.endswith("vbaproject.bin") for name in names):
        raise UnreadableError(
            N_("The document holds macros (programs), which are never accepted. Save it as .docx without macros.")
        )
    if "word/document.xml" not in names:
        kinds = {"xl/workbook.xml": "Excel (xlsx)", "ppt/presentation.xml": "PowerPoint (pptx)"}
        kind = next((kind for name, kind in kinds.items() if name in names), "ZIP")
        if "content.xml" in names and "mimetype" in names:
            kind = "OpenDocument (odt)"
        raise UnreadableError(N_("The file is no document that can be read but %(kind)s."), kind=kind)
