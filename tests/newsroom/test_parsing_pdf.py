"""PDFs: lines become paragraphs by where they stand; columns, heads and feet are told apart."""

import pytest
import typst

from mailer.errors import UnreadableError
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.readers.pdf_page import ReadingOrder
from mailer.newsroom.readers.pdf_text import Run
from mailer.newsroom.readers.pdf_words import rows_of
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.lines import PartKind
from tests.newsroom.documents import Setting, make_pdf
from tests.newsroom.placed import make_placed
from tests.newsroom.test_parsing_word import check

SETTINGS = (
    Setting("A4"),
    Setting("A5", paper="a5"),
    Setting("two columns", columns=2, heading="15pt"),
    Setting("two columns, no contents", columns=2, heading="15pt", has_contents=False),
    Setting("titles at the left", align="left", heading="13pt"),
    Setting("space between paragraphs", indent="0em", spacing="1.4em"),
    Setting("neither indent nor space", indent="0em", spacing="0.65em"),
    Setting("titles not bold", weight="regular", heading="16pt"),
    Setting("titles as large as text", heading="11pt"),
    Setting("no contents", has_contents=False),
    Setting("dots", leader="."),
    Setting("no leader", leader=""),
    Setting("no running head", has_head=False),
    Setting("English", is_english=True),
    Setting("English, two columns", is_english=True, columns=2, size="9.5pt", indent="1em", heading="13pt"),
    Setting("English, ragged", is_english=True, justify=False, indent="0em", spacing="1.3em"),
    Setting("English, two columns, no contents", is_english=True, columns=2, has_contents=False, indent="1em"),
    Setting("three columns", columns=3, size="8pt", heading="10pt", has_contents=False),
    Setting("nothing but text", has_contents=False, has_head=False, heading="11pt", align="left"),
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_bulletin_is_found_whole_however_it_is_set(setting: Setting) -> None:
    content, truth = make_pdf(setting)
    check(parse_document(content, "a.pdf"), truth)


@pytest.mark.parametrize("seed", [100, 101, 104, 111, 114, 120, 131, 143])
def test_a_bulletin_is_found_whole_wherever_its_lines_stand(seed: int) -> None:
    content, truth = make_placed(seed)
    check(parse_document(content, "a.pdf"), truth)


def test_running_heads_and_page_numbers_never_leak_into_the_text() -> None:
    content, _ = make_pdf(Setting("A5", paper="a5"))
    bulletin = parse_document(content, "a.pdf")
    assert "— 2 —" in bulletin.furniture
    assert not [text for article in bulletin.articles for text in article.paragraphs if "— " in text[:3]]


def test_a_pdf_of_pictures_alone_is_refused_with_what_to_do() -> None:
    page = _scan()
    with pytest.raises(UnreadableError, match="OCR"):
        parse_document(page, "scan.pdf")


def _scan() -> bytes:
    """A page that is one picture, written by hand: nothing of it is text."""
    resources = b"<< /XObject << /I 5 0 R >> >>"
    image = b"/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Contents 4 0 R /Resources %s >>" % resources,
        b"<< /Length 30 >>\nstream\nq 400 0 0 600 0 0 cm /I Do Q  \nendstream",
        b"<< /Type /XObject %s >>\nstream\n\x80\nendstream" % image,
    ]
    body, places = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)
    )


FONTS = '("Libertinus Serif", "Noto Serif CJK SC")'
LONG = "这一段文字只为占满一行又一行，好让版面看起来像真的一样，读者读到这里可以继续往下读，也可以停下来歇一歇。"


def typeset(*pieces: str, page: str = "") -> ParsedBulletin:
    source = [f'#set page(paper: "a5", {page})', f'#set text(size: 11pt, lang: "zh", font: {FONTS})', *pieces]
    return parse_document(typst.compile("\n\n".join(source).encode(), format="pdf"), "a.pdf")


def test_a_footnote_under_the_colophon_does_not_hide_it() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        f"{LONG}#footnote[数据截至三月。]",
        LONG,
        "编辑：温澜　电话：5550101",
    )
    assert (bulletin.editor, bulletin.phone) == ("温澜", "5550101")
    assert [part.kind for part in bulletin.articles[0].parts].count(PartKind.FOOTNOTE) == 1


def test_digits_set_high_are_written_so() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        f"观测站占地三百 m#super(typographic: false)[2]。{LONG}",
    )
    assert "m²。" in bulletin.articles[0].paragraphs[0]


def test_a_line_under_two_columns_is_read_after_both() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        f'#columns(2)[#text(size: 15pt, weight: "bold")[观测站建成]\n\n{LONG * 3}\n\n{LONG * 2}\n\n#colbreak()\n'
        f'#text(size: 15pt, weight: "bold")[渔港改造]\n\n{LONG * 3}\n\n{LONG * 2}]',
        "#v(1em)\n联系人：温澜　电话：5550101",
    )
    assert [article.title for article in bulletin.articles] == ["观测站建成", "渔港改造"]
    assert bulletin.phone == "5550101"
    assert bulletin.articles[0].paragraphs == (LONG * 3, LONG * 2)


def test_a_head_of_two_pages_is_known_though_title_and_number_share_a_line() -> None:
    bulletin = typeset(
        "#text(size: 26pt)[观 潮 简 讯] 2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        *[LONG] * 14,
        page="header: context if counter(page).get().first() > 1 [观潮简讯 #h(1fr) 2025年第3期],",
    )
    assert bulletin.title == "观潮简讯"
    assert not [text for text in bulletin.articles[0].paragraphs if "观潮" in text]


def test_the_head_of_a_table_belongs_to_it_though_its_cells_stand_close() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        LONG,
        "#align(center, table(columns: 3, [年度], [问题数], [反弹数], [2023], [120], [36], [2024], [98], [29]))",
        LONG,
    )
    (table,) = [part for part in bulletin.articles[0].parts if part.kind is PartKind.TABLE]
    assert table.rows[0] == ("年度", "问题数", "反弹数")


def test_quotation_marks_that_were_drawn_behind_their_line_stand_where_they_are_seen() -> None:
    line = "县里的#h(5pt)一窗通办#h(5pt)平台上线，企业开办、不动产登记等业务一窗受理。"
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        f"#set text(size: 10pt, cjk-latin-spacing: none)\n#block[{line}"
        '#place(top + left, dx: 30pt)[#box(width: 5pt, text(font: "Libertinus Serif")[“])]'
        '#place(top + left, dx: 75pt)[#box(width: 5pt, text(font: "Libertinus Serif")[”])]]',
    )
    assert bulletin.articles[0].paragraphs == ("县里的“一窗通办”平台上线，企业开办、不动产登记等业务一窗受理。",)


def test_a_radical_that_looks_like_its_ideograph_is_read_as_that() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        "三⽉的⻚⾯上，⻓江⻛浪和⻢匹都写得清楚，⾃⼰也看得明⽩。",
    )
    assert bulletin.articles[0].paragraphs == ("三月的页面上，长江风浪和马匹都写得清楚，自己也看得明白。",)


def test_narrow_columns_of_justified_english_below_a_contents_list_are_columns() -> None:
    articles = {
        "Tidal kites": "Instrumentation transmits continuously through submarine tethers, and preliminary "
        "measurements are encouraging although independent evaluation has been postponed indefinitely by insurers. "
        "Commercialisation is expected in the autumn, when representatives of the regional authorities have been "
        "consulted about environmental consequences.",
        "Fishing logs": "Handwritten fishing logs from the nineteenth century are being transcribed by volunteers; "
        "they contain approximately forty thousand temperature observations that no archive possesses. "
        "Reconstructions submitted for publication suggest considerably warmer winters "
        "throughout the eighteen-forties than anybody had anticipated.",
    }
    listed = "\n\n".join(f"{title} #h(1fr) {page}" for page, title in enumerate(articles, start=2))
    set_text = "".join(f'#text(size: 15pt, weight: "bold")[{title}]\n\n{text}\n\n' for title, text in articles.items())
    bulletin = typeset(
        "#text(size: 24pt)[Harbour Letter]\n\nVol. 7 No. 3",
        "Contents",
        listed,
        f'#set text(lang: "en", hyphenate: false)\n#set par(justify: true)\n#columns(2)[{set_text}]',
        page="height: 420pt,",
    )
    assert {article.title: article.paragraphs for article in bulletin.articles} == {
        title: (text,) for title, text in articles.items()
    }
    assert [article.page for article in bulletin.articles] == [2, 3]


CREDITS = "报：县委办。#linebreak()送：各乡镇。#linebreak()编辑：温澜　审核：米岚　电话：5550101"


@pytest.mark.parametrize(
    ("left", "right"), [(6, 6), (6, 5), (3, 6)], ids=["level", "left column longer", "right column longer"]
)
def test_a_colophon_set_close_under_two_columns_is_no_part_of_the_left_one(left: int, right: int) -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        "#set par(leading: 5pt, spacing: 5pt, first-line-indent: (amount: 2em, all: true), justify: true)",
        f'#columns(2)[#text(size: 15pt, weight: "bold")[观测站建成]\n\n{(LONG + chr(10) * 2) * left}#colbreak()\n'
        f'#text(size: 15pt, weight: "bold")[渔港改造]\n\n{(LONG + chr(10) * 2) * right}]',
        f"#par(first-line-indent: 0em)[{CREDITS}]",
    )
    assert [(article.title, article.paragraphs) for article in bulletin.articles] == [
        ("观测站建成", (LONG,) * left),
        ("渔港改造", (LONG,) * right),
    ]
    assert (bulletin.editor, bulletin.phone) == ("温澜", "5550101")


@pytest.mark.parametrize("by_row", [True, False], ids=["row by row", "column by column"])
def test_the_last_page_may_hold_a_few_lines_of_two_columns_and_a_line_across(by_row: bool) -> None:
    left, right = "左栏第一行的文字从这里开始写着", "右栏第一行的文字从那里开始写着"
    page = [
        Run(f"{side}{number}", x, x + 200, 700 - 16 * number, 11, is_bold=False)
        for x, side in ((60, left), (300, right))
        for number in range(9)
    ]
    foot = [Run("报：县委办。", 60, 130, 650, 11, is_bold=False), Run(LONG[:40], 60, 500, 634, 11, is_bold=False)]
    last = [*page[:3], *page[9:12], *foot]
    for runs in (page, last):
        drawn = sorted(runs, key=lambda run: -run.y) if by_row else runs
        for order, run in enumerate(drawn):
            run.order = order
    reading = ReadingOrder(set())
    reading.lines(rows_of(page), 1, 560)
    lines = reading.lines(rows_of(last), 2, 560)
    assert [line.text for line in lines] == [run.text for run in last]


def test_columns_are_seen_though_marks_of_another_font_were_drawn_by_themselves() -> None:
    page = []
    for x, side in ((60, "左"), (300, "右")):
        for number in range(8):
            y = 700 - 16 * number
            page += [
                Run(f"{side}栏写着“开头一半", x, x + 90, y, 11, is_bold=False),
                Run("”", x + 85, x + 96, y, 11, is_bold=False),
                Run("和中间几个字的话", x + 97, x + 180, y, 11, is_bold=False),
                Run("一", x + 181, x + 190, y, 11, is_bold=False),
                Run("行字完", x + 191, x + 220, y, 11, is_bold=False),
            ]
    lines = ReadingOrder(set()).lines(rows_of(page), 1, 560)
    assert [line.text[0] for line in lines] == ["左"] * 8 + ["右"] * 8


def test_ideographs_that_were_drawn_apart_to_fill_their_line_have_no_spaces_between_them() -> None:
    bulletin = typeset(
        "观潮简讯\n\n2025年第3期",
        '#align(center, text(size: 18pt, weight: "bold")[观测站建成])',
        "#text(tracking: 0.28em)[检查发现，水质达标的有许多处，占多]#linebreak()数，其余的很快就会改好。",
        "编辑：温　澜",
    )
    assert bulletin.articles[0].paragraphs == ("检查发现，水质达标的有许多处，占多数，其余的很快就会改好。",)
