"""What a single line of the body is by itself: running text, a list item, a byline, a source, a note, a caption."""

import re
from enum import StrEnum

from mailer.newsroom.structure.entries import undecorated
from mailer.newsroom.structure.imprint import is_organisation, is_unit, looks_like_people
from mailer.newsroom.structure.lexicon import HEADING_WORDS, NEVER_LAST
from mailer.newsroom.structure.marks import BULLETS
from mailer.newsroom.structure.typography import ends_inside, fold, is_cjk, is_finished, is_latin, width


class PartKind(StrEnum):
    """What a piece of an article is. `paragraph` and `subheading` are its text; the rest stands apart from it."""

    PARAGRAPH = "paragraph"
    SUBHEADING = "subheading"
    SUBTITLE = "subtitle"
    BYLINE = "byline"
    SOURCE = "source"
    EDITORS_NOTE = "editors_note"
    FOOTNOTE = "footnote"
    CAPTION = "caption"
    TABLE = "table"
    PICTURE = "picture"


_NOTE_WORD = (
    r"编 ?者 ?按 ?语?|编者的话|编后语?|编辑手记|开栏(?:的话|语)|栏目按语?|导语|"
    r"按 ?语?|(?:the )?editor['’]?s['’]? note|note from the editor"
)
_NOTE = re.compile(rf"(?:\[ ?(?:{_NOTE_WORD}) ?:?\]|(?:{_NOTE_WORD}) ?(?::|$))[ :—]*", re.IGNORECASE)
_TAKEN_FROM = (
    r"(?:本文)?(?:摘 ?自|摘编自|转 ?自|转载自|选自|原载(?:于)?|刊载?于|首发于)|reprinted from|originally published in"
)
_SOURCE_WORD = rf"(?:(?:稿件|信息|文章|资料|新闻|内容|材料|本文) ?)?来 ?源(?:于)?|稿 ?源|出 ?处|sources?|{_TAKEN_FROM}"
_SOURCE = re.compile(
    rf"(?:\[(?:{_SOURCE_WORD})\] ?:? ?|[\[(]? ?(?:{_SOURCE_WORD}) ?[:|] ?|[\[(]? ?(?:{_TAKEN_FROM}) ?(?=[《“\w])|"
    r"[\[(] ?据(?= ?[《“\w])|据 ?(?=《[^《》]{2,20}》 ?(?:报道|消息|讯)?$)|"
    r"[\[(] ?(?=《[^《》]{2,20}》[^,。]{0,24}[\])]$))(?P<value>.+)",
    re.IGNORECASE,
)
_TRAILING_SOURCE = re.compile(
    rf"[\[(] ?(?:(?:{_SOURCE_WORD}) ?:? ?|据 ?(?=.*(?:报道|消息|社|报|网|整理|数据|公众号|》))|"
    r"(?=《[^《》]{2,20}》[^()]{0,12}(?:月 ?\d+ ?日|年 ?第? ?\d+ ?期)))"
    r"(?P<value>[^()\[\]]{2,60})[\])] ?[。.]?$",
    re.IGNORECASE,
)
_BESIDE_SOURCE = re.compile(
    r"[ ,;、](?:作者|译者|记者|通讯员|撰稿|编译|整理|编辑|责任编辑|(?P<date>(?:发布)?(?:日期|时间))) ?:"
)
# That a text was shortened is no part of where it came from.
_ABRIDGED = re.compile(r"[ ,，;；]+(?:略?有(?:删[节改减]|改动|修改)|节选|有编辑)$")
# Nor that it reported: 据《…》报道.
_REPORTS = re.compile(r"(?<=》) ?(?:报道|消息|讯)$")
_SOURCE_BESIDE = re.compile(rf" (?:{_SOURCE_WORD}) ?: ?(?=\S)", re.IGNORECASE)
_WRITER = (
    r"(?:全媒体)?记者|[受采]访[人者]|通讯员|评论员|撰稿人?|作者(?:简介|单位)?|供稿(?:单位|人)?|撰文|采写|采访|摄影|整理|编译|翻译|译者|执笔人?|"
    r"分析[员师]|口述|文字?|图文|文图|图 ?/ ?文|文 ?/ ?图"
)
_BYLINE = re.compile(
    rf"(?:[{BULLETS}] ?)?[\[(]? ?(?:(?:本[报刊网台院校]|特约|见习|实习|首席|学生|校[报园]|青年|驻站)+ ?)?"
    rf"(?:{_WRITER})(?:[、/及和](?:{_WRITER}))*(?: ?[:/|] ?| +)"
    r"(?=\S).{2,50}|"
    r"by +[A-Z][^.!?]{2,60}|\(?.{2,24} ?(?:供稿|整理|编译|撰稿|/文)\)?|"
    r"[\[(].{0,24}(?:记者|通讯员|作者|作者系|撰稿|编译|执笔|课题组).{0,40}[\])]",
    re.IGNORECASE,
)
_LATIN_NAME = re.compile(
    r"(?:(?:Dr|Prof|Mr|Mrs|Ms)\.? )?[A-Z][\w'’.-]{0,15}"
    r"(?: (?:van|von|de|der|den|la|di|da|bin|al|[A-Z]\.))*(?: [A-Z][\w'’-]{1,20}){1,2}"
)
_TEAM = re.compile(
    r"[^\s,，、：:“”]+(?:课题|调研|项目|写作|编写|专题|研究|报道)组|"
    r"(?!打造|建设|推[动进]|完善|加[快强]|构建|走进|探访|聚焦|关于|创[建新]|优化|深化|支持)(?:[一-鿿]{0,4}[省市县区州旗镇乡校院])"
    r"[一-鿿]{1,12}[局委办厅科处室站所会院]"
)
# When a speech was given stands under its title.
_DATE_ALONE = re.compile(r"[\[(] ?\d{4} ?年 ?\d{1,2} ?月(?: ?\d{1,2} ?日)? ?[\])]")
_HEADING_WORDS = frozenset(HEADING_WORDS.split())
_PERSON_AT = re.compile(r"(?P<name>[一-鿿](?: ?[一-鿿]){1,3}) ?[(](?P<place>[^()]{4,40})[)]")
_CAPTION = re.compile(
    r"(?:图|表|照片|图片|图表|附图|附表) ?[0-9一二三四五六七八九十]{1,3}(?:[-—.]\d{1,2})? ?"
    r"(?:[:.、]|(?= )|(?=[^0-9\s,，是为中所显表可示]))|"
    r"(?:[▲△▼↑↓] ?)?(?:图|图片|照片|图片说明|上图|下图|左图|右图)(?:为|[:(])|"
    r"[▲△▼↑↓].{2,60}(?:[\[(](?:图|摄|摄影|图片|照片|供图)(?:[:/ 片源]| ?来源).{1,16}[\])]| \S{2,8} ?摄影?|供图)$|"
    r"[\[(]? ?(?:数据|图片|图表) ?来源 ?:|"
    r"(?:figure|fig\.?|table|photo(?:graph)?s?|chart) ?\d*(?:\.\d+)? ?[:.]|"
    r"\[(?:图|图片|照片|表|image|photo|picture)[^\]]*\]",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(
    r"\[?注(?:释)?\]? ?[0-9①-⑳]{0,2} ?(?::|(?<=\]))|注释$|参考文献|references?:?$|(?:foot)?notes?:|end ?notes?",
    re.IGNORECASE,
)
FOOTNOTE_MARK = re.compile(r"[①-⑳]|\[\d{1,2}\]|\*{1,3}|[⁰¹²³⁴-⁹]+")
# No English title ends with one of these.
_NEVER_LAST = frozenset(NEVER_LAST.split())
_KEYWORDS = re.compile(r"\[?(?:关 ?键 ?词|主题词|key ?words?)\]? ?:", re.IGNORECASE)
_CELLS = re.compile(r"\t+| {2,}|\u3000+|[|│┃]")


def is_complete(text: str) -> bool:
    """Whether nothing can continue a line, whatever its punctuation: the name of a section, a list of keywords."""
    return is_section_shape(text) or _KEYWORDS.match(fold(text[:20])) is not None


def kind_of(text: str) -> PartKind:
    """The kind a line has whatever stands around it; running text when nothing says otherwise."""
    head = fold(text[:200])
    if _NOTE.match(head):
        return PartKind.EDITORS_NOTE
    if len(text) > 200:
        return PartKind.FOOTNOTE if _FOOTNOTE.match(head) else PartKind.PARAGRAPH
    if (source := _SOURCE.fullmatch(head)) and len(source["value"]) <= 80 and not _is_sentence(text):
        return PartKind.SOURCE
    if _FOOTNOTE.match(head):
        return PartKind.FOOTNOTE
    if _CAPTION.match(head) and len(text) <= 80 and head.count(",") < 2:
        return PartKind.CAPTION
    if len(text) <= 70 and _BYLINE.fullmatch(head) and not _is_sentence(text):
        return PartKind.BYLINE
    return PartKind.PARAGRAPH


def _is_sentence(text: str) -> bool:
    return text.rstrip("）)】]").endswith(("。", "！", "？", "；")) or "。" in text[:-2]


def is_byline_below_title(text: str) -> bool:
    """Right under a title a bare name is a byline: "郑可 乔木", "程砚（云漓大学）", "云漓大学  程砚"."""
    if is_date_alone(text):
        # When a speech was given.
        return True
    if len(text) > 50 or (is_finished(text, soft=False) and not text.endswith(("）", ")"))):
        return False
    text = text.lstrip(f"{BULLETS} \u3000") or text
    if text[0] in "（(" and text[-1] in "）)":
        text = text[1:-1].strip()
        if any(map(is_organisation, re.split(r"[,，;；、\s]+", text))):
            return True
    if looks_like_people(text) or _is_latin_name(text) or _is_team(text):
        return True
    match = _PERSON_AT.fullmatch(fold(text))
    if match and looks_like_people(match["name"]):
        return True
    words = [word for word in text.split() if word]
    if len(words) == 2 and is_organisation(words[0]) and 2 <= len(words[1]) <= 3 and all(map(is_cjk, words[1])):
        # Whatever the name: many write under another than their own.
        return not is_organisation(words[0] + words[1])
    return (
        len(words) > 1
        and any(map(is_organisation, words))
        and any(
            looks_like_people(" ".join(words[:at])) or looks_like_people(" ".join(words[at:]))
            for at in range(1, len(words))
        )
    )


def _is_team(text: str) -> bool:
    """Whether a line names a body or a group that writes, and no more: 市社科联课题组, 县科技局."""
    return 4 <= len(text) <= 24 and _TEAM.fullmatch(fold(text)) is not None and (is_organisation(text) or is_unit(text))


def is_date_alone(text: str) -> bool:
    """Whether a line is only a date in brackets."""
    return _DATE_ALONE.fullmatch(fold(text)) is not None


def _is_latin_name(text: str) -> bool:
    """Two to four capitalised words that are no heading's: Clara Hoffmann, J. R. van den Berg."""
    return _LATIN_NAME.fullmatch(text) is not None and not _HEADING_WORDS & set(text.lower().split())


def is_byline_at_end(text: str) -> bool:
    """Whether a line that ends an article says who wrote it: "（林保所 松涛）", "Harriet Lowe, Director"."""
    name, comma, office = text.partition(", ")
    if comma and len(text) <= 60 and _LATIN_NAME.fullmatch(name):
        return office[0].isupper() and not text.endswith((".", "!", "?")) and len(office.split()) <= 6
    if (
        not 4 <= len(text) <= 30
        or text[0] not in "（("
        or text[-1] not in "）)"
        or any(mark in text for mark in "，。；：《")
    ):
        return False
    words = text[1:-1].split()
    if not words or is_organisation(words[-1]):
        return False
    return looks_like_people(words[-1]) or (len(words) > 1 and 2 <= len(words[-1]) <= 3 and all(map(is_cjk, words[-1])))


def note_text(text: str) -> str:
    """An editor's note without its label; what the label says is known."""
    match = _NOTE.match(fold(text[:200]))
    return text[match.end() :].strip() if match else text


def source_value(text: str) -> str:
    """Where an article came from, without label and brackets."""
    match = _SOURCE.fullmatch(fold(text))
    value = text[match.start("value") :] if match else text
    opened, closed = fold(text)[:1] in "([", fold(value)[-1:] in ")]"
    if opened and closed and not fold(text).startswith("[来源]"):
        value = value[:-1]
    return _REPORTS.sub("", _ABRIDGED.sub("", value)).strip()


def split_writer(value: str) -> tuple[str, str | None]:
    """A source, and who wrote if the same line says it: "科技日报  作者：张三". A date after the source goes."""
    match = _BESIDE_SOURCE.search(fold(value))
    if match is None or match.start() == 0:
        return value, None
    rest = value[match.start() :].strip(" \u3000,，;；、")
    return value[: match.start()].rstrip(), None if match["date"] else rest


def split_named_source(text: str) -> tuple[str, str] | None:
    """Who wrote, and the source that the same line names after it: "作者：张三  来源：科技日报"."""
    match = _SOURCE_BESIDE.search(fold(text))
    return (text[: match.start()].rstrip(), text[match.end() :].strip()) if match and match.start() else None


def split_trailing_source(text: str) -> tuple[str, str | None]:
    """A paragraph and the source in brackets at its end, if there is one: "……。（来源：科技日报）"."""
    tail = text[-90:]
    match = _TRAILING_SOURCE.search(fold(tail))
    if match is None or len(tail) == len(match[0]):
        return text, None
    start = len(text) - len(tail) + match.start()
    value = tail[match.start("value") : match.end("value")].strip()
    return text[:start].rstrip(), value


def without_dash(text: str) -> str:
    """A subtitle without the dash it begins with."""
    return text.lstrip("—―─- ")


def is_subtitle(text: str) -> bool:
    """Whether a line under a title is its subtitle: it begins with a long dash, and is no sentence."""
    if text.endswith(("。", "；", "—", "─", "-")):
        return False
    return text.startswith(("——", "――", "──", "--", "—")) and len(text) <= 80 and text.strip("—―─- ") != ""


def has_title_shape(text: str, *, strict: bool = False) -> bool:
    """Whether a line could be a title: short, and not a sentence. `strict` allows no comma at all."""
    if len(text) > 120 or ends_inside(text) or not any(map(str.isalnum, text)):
        return False
    if is_latin(text):
        words = text.split()
        if text.endswith((".", ":", ";")) or text[0].islower() or words[-1].lower() in _NEVER_LAST:
            return False
        return len(words) <= 12 and "," not in text if strict else len(words) <= 20
    if width(text) > (50 if strict else 90) or any(mark in text[:-1] for mark in "。；"):
        return False
    if text.endswith(("。", "；", "：", ":", ";")):
        return False
    commas = text.count("，") + text.count(",")
    return commas == 0 if strict else commas <= 1


def cells_of(text: str) -> list[str]:
    """The cells of a table row that is set with wide spaces, tabs or bars; one cell for running text."""
    if len(text) > 300:
        return [text]
    cells = [cell.strip() for cell in _CELLS.split(text.strip("|│┃ \t"))]
    return [cell for cell in cells if cell] if all(len(cell) <= 40 for cell in cells) else [text]


def is_section_shape(text: str) -> bool:
    """Whether a line is ornamented like the name of a section: ◆政策速递◆, 【政策速递】."""
    name, is_decorated = undecorated(text)
    return (
        is_decorated and 2 <= len(name) <= (16 if any(map(is_cjk, name)) else 40) and not is_finished(name, soft=False)
    )


def is_running_text(text: str) -> bool:
    """Whether a line is a sentence, or a piece of one that the typesetter broke, rather than a title."""
    if width(text[:200]) <= 50:
        return False
    if is_latin(text):
        words = text.split()
        return len(words) > 8 and sum(word[0].isupper() for word in words) * 5 < len(words) * 2
    return (width(text[:200]) > 60 and is_finished(text)) or "，" in text
