"""Bulletins as Word documents and PDFs, set in many ways, with the truth about them."""
# ruff: noqa: E501, ISC003  (sentences are best left whole)

from dataclasses import dataclass, field, replace
from io import BytesIO

import docx
import typst
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt

from tests.newsroom.bulletins import ARTICLES

LONG = (
    "为进一步压实责任，会议要求各单位对照年度目标任务逐项梳理，建立台账、明确时限，做到事事有回音、件件有着落，"
    "并把群众满意不满意作为检验成效的根本标准，切实推动各项工作落地见效，确保全年目标任务圆满完成。"
)
ENGLISH = (
    (
        "A floating turbine survives its second winter",
        (
            "The floating turbine off Northisle has survived its second winter at sea. Engineers who boarded it in March "
            + "found the moorings intact and the instrumentation working, although two cameras had iced over.",
            "Output over the season was eleven per cent above the forecast. The cooperative will decide in June whether "
            + "to order a second machine, which would supply the island and leave a little for the interconnector.",
        ),
    ),
    (
        "Seagrass returns to the harbour",
        (
            "For the first time in forty years, seagrass is growing inside the harbour wall. Volunteers planted nine "
            + "thousand seedlings last spring, and divers counted more than six thousand alive in the transect survey.",
            "“We expected to lose half of them in the storms,” said the project’s coordinator. “What we did not expect "
            + "was that they would spread so quickly.” Anchoring restrictions remain in force until the summer.",
        ),
    ),
    (
        "New reading room opens in the old customs house",
        (
            "The old customs house has reopened as a reading room with sixty seats, a local archive and a workshop for "
            + "bookbinding. Opening hours were extended to nine in the evening after a trial through the winter.",
            "Membership is free for residents. Visitors may use the room for a day without registering, and the archive "
            + "answers written questions, of which it received more than four hundred in its first three months.",
        ),
    ),
)


@dataclass(frozen=True)
class Truth:
    """What a reader would say is in a document."""

    fields: dict[str, object]
    titles: list[str]
    paragraphs: list[list[str]]
    pages: list[int | None]
    sections: list[str | None] = field(default_factory=list)


@dataclass(frozen=True)
class Way:
    """One way to set a bulletin in Word."""

    name: str
    contents: str = "tabs"  # "tabs", "field", "styles", "none"
    headings: str = "styles"  # "styles", "outline", "manual", "bold"
    has_sections: bool = False
    body: str = "indent"  # "indent", "typed", "plain", "numbered"
    masthead: str = "lines"  # "lines", "table", "box"
    has_furniture: bool = False
    is_english: bool = False


FIELDS = {
    "title": "望川科技要情", "year": 2025, "number": "11", "total_number": "138", "date": "2025-11-05",
    "publisher": "望川市科学技术信息研究院", "editor": "石玥", "phone": "0000-5550145",
}  # fmt: skip
ENGLISH_FIELDS = {
    "title": "Northisle Notes", "year": 2025, "number": "3", "volume": "7", "date": "2025-03-14",
    "publisher": "Northisle Community Council", "editor": "Jane Doe", "phone": "555 0146",
}  # fmt: skip


def chosen(*, is_english: bool, long: bool = False) -> list[tuple[str, list[str]]]:
    if is_english:
        return [(title, list(paragraphs)) for title, paragraphs in ENGLISH]
    made = [(title, list(paragraphs)) for title, paragraphs in ARTICLES]
    return [(title, [*paragraphs, LONG]) for title, paragraphs in made] if long else made


def masthead_lines(*, is_english: bool) -> list[str]:
    if is_english:
        return ["Northisle Notes", "Vol. 7 No. 3", "Published by Northisle Community Council", "14 March 2025"]
    return ["望川科技要情", "2025年第11期（总第138期）", "望川市科学技术信息研究院 编印", "2025年11月5日"]


def foot_lines(*, is_english: bool) -> list[str]:
    return ["Editor: Jane Doe", "Phone: 555 0146"] if is_english else ["编辑：石 玥", "电话：0000-5550145"]


def section_of(number: int) -> str:
    return "工作动态" if number < 2 else "基层见闻"


def truth_of(*, is_english: bool, has_sections: bool, has_contents: bool, long: bool = False) -> Truth:
    articles = chosen(is_english=is_english, long=long)
    return Truth(
        ENGLISH_FIELDS if is_english else FIELDS,
        [title for title, _ in articles],
        [paragraphs for _, paragraphs in articles],
        [2 * number + 1 if has_contents else None for number in range(len(articles))],
        [section_of(number) if has_sections else None for number in range(len(articles))],
    )


def make_docx(way: Way) -> tuple[bytes, Truth]:
    """A Word document set that way."""
    document = docx.Document()
    document.core_properties.title = "模板（请勿修改）"
    _docx_masthead(document, way)
    articles = chosen(is_english=way.is_english)
    if way.contents != "none":
        _docx_contents(document, way, [title for title, _ in articles])
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    number_id = _list_numbering(document) if way.body == "numbered" else None
    for number, (title, paragraphs) in enumerate(articles):
        if way.has_sections and (number == 0 or section_of(number) != section_of(number - 1)):
            _docx_heading(document, section_of(number), 1, way)
        _docx_heading(document, title, 2 if way.has_sections else 1, way)
        for text in paragraphs:
            _docx_paragraph(document.add_paragraph(), text, way, number_id, is_italic=number == 1)
    for line in foot_lines(is_english=way.is_english):
        document.add_paragraph(line)
    if way.has_furniture:
        section = document.sections[0]
        section.header.paragraphs[0].text = masthead_lines(is_english=way.is_english)[0] + " 2025年第11期"
        section.footer.paragraphs[0].text = "— 1 —"
    stream = BytesIO()
    document.save(stream)
    truth = truth_of(is_english=way.is_english, has_sections=way.has_sections, has_contents=way.contents != "none")
    if way.body == "numbered":
        numbers = iter(
            f"{number}、"
            for number in ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三"]
        )
        counted = [[next(numbers) + text for text in paragraphs] for paragraphs in truth.paragraphs]
        truth = replace(truth, paragraphs=counted)
    return stream.getvalue(), truth


def _docx_paragraph(paragraph, text: str, way: Way, number_id: str | None, *, is_italic: bool) -> None:
    shown = "　　" + text if way.body == "typed" else text
    if way.body == "indent":
        paragraph.paragraph_format.first_line_indent = Pt(24)
    elif number_id is not None:
        _numbered(paragraph, number_id)
    # Word splits runs where it likes.
    paragraph.add_run(shown[: len(shown) // 3])
    paragraph.add_run(shown[len(shown) // 3 :]).italic = is_italic


def _docx_masthead(document, way: Way) -> None:
    lines = masthead_lines(is_english=way.is_english)
    title = document.add_paragraph()
    run = title.add_run(" ".join(lines[0]) if not way.is_english and way.headings == "manual" else lines[0])
    run.font.size, run.bold = Pt(36), True
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if way.masthead == "table":
        table = document.add_table(1, 3)
        for cell, text in zip(table.rows[0].cells, lines[1:], strict=True):
            cell.text = text
    elif way.masthead == "box":
        _text_box(document.add_paragraph(), lines[1:])
    else:
        for line in lines[1:]:
            document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.CENTER


def _docx_contents(document, way: Way, titles: list[str]) -> None:
    heading = document.add_paragraph("Contents" if way.is_english else "目  录")
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    shown = []
    for number, title in enumerate(titles):
        if way.has_sections and (number == 0 or section_of(number) != section_of(number - 1)):
            shown.append((section_of(number), 1, 2 * number + 1))
        shown.append((title, 2, 2 * number + 1))
    for at, (text, depth, page) in enumerate(shown):
        paragraph = document.add_paragraph()
        if way.contents == "styles":
            paragraph.style = _toc_style(document, depth)
        if way.contents == "field" and at == 0:
            _field(paragraph, "begin")
            _instruction(paragraph, ' TOC \\o "1-3" \\h \\z \\u ')
            _field(paragraph, "separate")
        is_name = depth == 1 and way.contents == "tabs"
        paragraph.add_run(text if is_name else f"{text}\t{page}")
        if way.contents == "field" and at == len(shown) - 1:
            _field(paragraph, "end")


def _toc_style(document, depth: int):
    name = f"toc {depth}"
    if name not in [style.name for style in document.styles]:
        document.styles.add_style(name, 1)
    return document.styles[name]


def _docx_heading(document, text: str, depth: int, way: Way) -> None:
    if way.headings == "styles":
        document.add_heading(text, depth)
        return
    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    run.bold = True
    if way.headings == "outline":
        level = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), str(depth - 1))
        paragraph._p.get_or_add_pPr().append(level)
    elif way.headings == "manual":
        run.font.size = Pt(22 if depth == 1 else 16)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    else:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER


def _field(paragraph, kind: str) -> None:
    run = paragraph.add_run()
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    run._r.append(element)


def _instruction(paragraph, text: str) -> None:
    element = OxmlElement("w:instrText")
    element.text = text
    paragraph.add_run()._r.append(element)


def _text_box(paragraph, lines: list[str]) -> None:
    picture, shape, box, content = (
        OxmlElement("w:pict"), OxmlElement("w:r"), OxmlElement("w:r"), OxmlElement("w:txbxContent"),
    )  # fmt: skip
    for line in lines:
        inner = OxmlElement("w:p")
        run, text = OxmlElement("w:r"), OxmlElement("w:t")
        text.text = line
        run.append(text)
        inner.append(run)
        content.append(inner)
    box.append(content)
    shape.append(box)
    picture.append(shape)
    paragraph.add_run()._r.append(picture)


def _list_numbering(document) -> str:
    """A list that counts 一、二、 as Word's own numbering does."""
    root = document.part.numbering_part.element
    abstract = OxmlElement("w:abstractNum")
    abstract.set(qn("w:abstractNumId"), "91")
    level = OxmlElement("w:lvl")
    level.set(qn("w:ilvl"), "0")
    for name, value in (("w:start", "1"), ("w:numFmt", "chineseCounting"), ("w:lvlText", "%1、")):
        element = OxmlElement(name)
        element.set(qn("w:val"), value)
        level.append(element)
    abstract.append(level)
    root.insert(0, abstract)
    number = OxmlElement("w:num")
    number.set(qn("w:numId"), "91")
    reference = OxmlElement("w:abstractNumId")
    reference.set(qn("w:val"), "91")
    number.append(reference)
    root.append(number)
    return "91"


def _numbered(paragraph, number_id: str) -> None:
    properties = OxmlElement("w:numPr")
    for name, value in (("w:ilvl", "0"), ("w:numId", number_id)):
        element = OxmlElement(name)
        element.set(qn("w:val"), value)
        properties.append(element)
    paragraph._p.get_or_add_pPr().append(properties)


@dataclass(frozen=True)
class Setting:
    """One way to set a bulletin as PDF."""

    name: str
    paper: str = "a4"
    size: str = "11pt"
    columns: int = 1
    indent: str = "2em"
    spacing: str = "0.65em"
    heading: str = "18pt"
    align: str = "center"
    weight: str = "bold"
    has_contents: bool = True
    leader: str = "…"
    has_head: bool = True
    is_english: bool = False
    justify: bool = True


def make_pdf(setting: Setting) -> tuple[bytes, Truth]:
    """A PDF set that way by Typst."""
    is_english = setting.is_english
    articles = chosen(is_english=is_english, long=not is_english)
    lines = masthead_lines(is_english=is_english)
    running = f"header: context if counter(page).get().first() > 1 [{lines[0]} #h(1fr) {lines[1]}],"
    head = running if setting.has_head else ""
    fonts = '("Libertinus Serif", "Noto Serif CJK SC", "Noto Sans CJK SC")'
    hyphenate, justify = str(is_english).lower(), str(setting.justify).lower()
    foot = "footer: context align(center)[— #counter(page).display() —]"
    text = f'size: {setting.size}, lang: "{"en" if is_english else "zh"}", hyphenate: {hyphenate}, font: {fonts}'
    indent = f"first-line-indent: (amount: {setting.indent}, all: true)"
    title = f'text(size: {setting.heading}, weight: "{setting.weight}", it)'
    around = "above: 1.6em, below: 1.2em, width: 100%, sticky: true"
    source = [
        f'#set page(paper: "{setting.paper}", margin: 2.2cm, {head} {foot})',
        f"#set text({text})",
        f"#set par(justify: {justify}, spacing: {setting.spacing}, leading: 0.65em, {indent})",
        f"#let title(it) = block({around}, align({setting.align}, {title}))",
        f'#align(center, text(size: 30pt, weight: "bold")[{lines[0]}])',
        *(f"#align(center)[{line}]\n" for line in lines[1:]),
    ]
    if setting.has_contents:
        source.append(f"#align(center, text(size: 14pt)[{'Contents' if is_english else '目  录'}])")
        for number, (title, _) in enumerate(articles):
            page = 2 * number + 1
            fill = f"#box(width: 1fr, repeat[{setting.leader}])" if setting.leader else "#h(1fr)"
            source.append(f"#par(first-line-indent: 0em)[{title} {fill} {page}]\n")
    if setting.columns > 1:
        source.append(
            f"#set page(columns: {setting.columns})" if setting.has_contents else f"#columns({setting.columns})["
        )
    for title, paragraphs in articles:
        source.append(f"#title[{title}]\n")
        source += [f"{paragraph}\n" for paragraph in paragraphs]
    if setting.columns > 1 and not setting.has_contents:
        source.append("]")
    source += [f"#par(first-line-indent: 0em)[{line}]\n" for line in foot_lines(is_english=is_english)]
    pdf = typst.compile("\n".join(source).encode(), format="pdf")
    truth = truth_of(is_english=is_english, has_sections=False, has_contents=setting.has_contents, long=not is_english)
    return pdf, truth
