"""The parts of a .docx (ECMA-376, part 2): a ZIP of XML whose every size is checked before anything is unpacked."""

import posixpath
import zipfile
import zlib
from io import BytesIO

from lxml import etree

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.limits import Limits

_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
# What unpacks to less than this may be packed however well.
_SMALL = 2**20
_DAMAGED = N_("The document is damaged: its parts cannot be unpacked. Save it again and try that.")


class Package:
    """Reads parts by name. Raises `UnreadableError` for what is too large, encrypted, broken or dangerous."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        try:
            self._archive = zipfile.ZipFile(BytesIO(content))
            entries = self._archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
            raise UnreadableError(_DAMAGED) from error
        if len(entries) > limits.max_parts or sum(entry.file_size for entry in entries) > limits.max_unpacked:
            raise UnreadableError(
                N_("The document unpacks to more than %(limit)d MiB. Make its pictures smaller and try again."),
                limit=limits.max_unpacked // 2**20,
            )
        if any(entry.file_size > max(_SMALL, limits.max_ratio * entry.compress_size) for entry in entries):
            raise UnreadableError(
                N_(
                    "A part of the document unpacks to more than %(limit)d times its size, as no word processor writes."
                ),
                limit=limits.max_ratio,
            )
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnreadableError(N_("The document is protected by a password. Save it without one and try again."))
        self._entries = {entry.filename.lower().lstrip("/"): entry for entry in entries}
        self._limits = limits

    def read(self, name: str, limit: int | None = None) -> bytes | None:
        """A part's bytes, `None` when there is no such part. What the directory says of its size is not believed."""
        entry = self._entries.get(name.lower().lstrip("/"))
        if entry is None:
            return None
        most = min(limit or self._limits.max_part, self._limits.max_part)
        try:
            with self._archive.open(entry) as part:
                content = part.read(most + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise UnreadableError(_DAMAGED) from error
        if len(content) > most:
            raise UnreadableError(
                N_("A part of the document unpacks to more than %(limit)d MiB."), limit=max(1, most // 2**20)
            )
        return content

    def xml(self, name: str) -> "etree._Element | None":
        """A part as XML. Document types are refused: Word writes none, and entities live in them."""
        content = self.read(name)
        if content is None:
            return None
        return parse_xml(content)

    def relationships(self, name: str) -> dict[str, tuple[str, str]]:
        """Of a part: id → (kind, target). A target outside the package keeps its address."""
        folder, base = posixpath.split(name)
        root = self.xml(f"{folder}/_rels/{base}.rels")
        found = {}
        for element in () if root is None else root.iter(_RELATIONSHIP):
            kind = element.get("Type", "").rsplit("/", 1)[-1]
            target = element.get("Target", "")
            if element.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
            found[element.get("Id", "")] = (kind, target)
        return found


def parse_xml(content: bytes) -> "etree._Element":
    """Hardened: no entities, no document types, no network, libxml2's own limits on depth and size."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError(
            N_("The document is damaged: a part of it is no well-formed XML. Save it again and try that.")
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableError(N_("The document holds definitions (entities) that no word processor writes."))
    return root
