"""The typesetter, as a program of its own: ``python -m mailer.press.typesetting FOLDER FAMILY…``.

It sets ``edition.typ`` of FOLDER and writes the PDF to standard output. A process of its own, because Typst works
inside its caller's otherwise: it could not be stopped when its time is over, its memory would not be given back, and a
crash would take a worker with it. FOLDER is the root: Typst reads no file outside it. Nothing of the template names a
package, the one thing that Typst would fetch from the network.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import ModuleType

NO_FONT, NOT_SET = 3, 4
# Serif for running text, as bulletins are printed; what is installed of these is used, in this order.
CHINESE_FAMILIES = (
    "Noto Serif CJK SC", "Source Han Serif SC", "Source Han Serif CN", "Noto Serif SC", "Songti SC", "STSong", "SimSun",
    "NSimSun", "FangSong", "STFangsong", "AR PL UMing CN", "AR PL SungtiL GB", "Noto Sans CJK SC", "Source Han Sans SC",
    "Source Han Sans CN", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei", "STHeiti",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback",
)  # fmt: skip
# Comes with Typst itself: for Latin issues, and for what a Chinese family lacks.
LATIN_FAMILY = "Libertinus Serif"
# An issue of a hundred pages takes some 200 MB; fonts are mapped, and threads reserve address space.
MEMORY_BYTES = 6 * 1024**3


def choose_families(installed: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The families of `wanted`, or of `CHINESE_FAMILIES` where nothing is, that are installed, in their order; names
    compare without case.
    """
    by_name = {family.casefold(): family for family in installed}
    found = [by_name.get(family.casefold()) for family in wanted or CHINESE_FAMILIES]
    return list(dict.fromkeys(family for family in found if family))


def typeset(folder: Path, wanted: Sequence[str]) -> bytes | None:
    """The PDF of ``edition.typ`` in `folder`, or `None` when it needs a Chinese font and none is installed."""
    import typst

    data = json.loads((folder / "edition.json").read_text(encoding="utf-8"))
    system = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).fonts()
    chosen = choose_families([font.family for font in system], wanted)
    if not chosen and data["needs_chinese"]:
        return None
    latin_first = [LATIN_FAMILY, *chosen[:2]]
    data["fonts"] = [*chosen[:2], LATIN_FAMILY] if data["language"] == "zh" else latin_first
    (folder / "edition.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    # Typst scans folders: only those that hold the chosen families.
    paths = sorted({str(Path(font.path).parent) for font in system if font.path and font.family in chosen[:2]})
    day = data["date"]
    return typst.compile(
        folder / "edition.typ",
        root=folder,
        font_paths=[Path(path) for path in paths],
        ignore_system_fonts=True,
        format="pdf",
        package_path=folder / "packages",
        package_cache_path=folder / "packages",
        # The same issue is the same file, whenever it is printed.
        timestamp=datetime.combine(date(*day) if day else date(2000, 1, 1), time.min, UTC),
    )


def _limit_memory() -> None:
    resource: ModuleType
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def main(arguments: Sequence[str]) -> int:
    _limit_memory()
    try:
        pdf = typeset(Path(arguments[0]), arguments[1:])
    except RuntimeError as error:  # TypstError is one; what it says names places of the template
        sys.stderr.write(str(error))
        return NOT_SET
    if pdf is None:
        return NO_FONT
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
