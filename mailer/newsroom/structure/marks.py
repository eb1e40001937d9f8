"""What a line is by the mark it begins with, or when it is nothing but marks: rules, page numbers, bullets, numbers.

Readers ask this too, in a process that lives for one document: nothing here needs the patterns of mastheads and names.
"""

import re

from mailer.newsroom.structure.typography import fold, squeeze

BULLETS = "⊙◉◈▸‣♦★☆✩✪※■□▪▫●○◎◦•·‧∙・◆◇❖✦✧▲△▶►▷➢➤➔→✓✔§¤▌▍▎❏❑"
_HAN = "一二三四五六七八九十"
_RULE = re.compile(r"[\s\-—–―─━═=_*~～·.…﹏◇◆☆★●○■□▁▔|+#<>]{3,}")
_NUMBER = r"\d{1,4}"
_DECORATED_NUMBER = re.compile(
    rf"(?:[-—·•~\[(|<〈《]{{1,3}}{_NUMBER}[-—·•~\])|>〉》]{{1,3}}|第[\d一二三四五六七八九十百]{{1,4}}[页頁版](?:[/,，]?共\d+[页頁版])?|"
    rf"(?:page|p\.?){_NUMBER}(?:(?:of|/){_NUMBER})?|{_NUMBER}(?:/|of){_NUMBER}|{_NUMBER}页)",
    re.IGNORECASE,
)
_END_MARK = re.compile(
    r"[\[(]?(?:本期)?(?:全文)?(?:完|结束|end)[\])]?|[■□◆◇●]|#{3}|-30-|[—-]+(?:完|end|the end)[—-]+", re.IGNORECASE
)
QUESTION = re.compile(r"(?:问|答|q\d{0,2}|a\d{0,2}|记者|主持人|嘉宾)(?: ?\([^()]{1,10}\))? ?:", re.IGNORECASE)
_NUMBERED = re.compile(
    rf"(?:[{_HAN}]{{1,2}}(?:是|要(?![素点闻])|、)|第[{_HAN}]{{1,2}}[,、是]|其[{_HAN}][,、是]|"
    rf"\((?:[{_HAN}]{{1,3}}|\d{{1,2}}|[a-z])\)|\d{{1,2}}(?:[.)](?!\d(?!\d{{3}} ?年))|、)|[①-⑳]|[a-z]\) )",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"(?P<lead>第|其|\(|)(?P<number>[{_HAN}]|\d{{1,2}})(?P<tail>[是要]|[、,)]|[.](?!\d))")
_ORDINAL_ALONE = re.compile(rf"(?:part|chapter|section|no)?[ .:·]*\d{{1,2}}[.、]?|[{_HAN}]{{1,2}}、?", re.IGNORECASE)
_BULLETED = re.compile(rf"[{BULLETS}]|[-–—*] (?=\S)")
TOP_NUMBERED = re.compile(rf"(?:第[{_HAN}]{{1,2}}[章节]|[{_HAN}]{{1,3}}、)")


def is_rule(text: str) -> bool:
    """Whether a line is only drawn: "──────", "* * *", or the "--" above a mail's signature."""
    return text in {"--", "——"} or (
        len(text) <= 400 and _RULE.fullmatch(text) is not None and not any(map(str.isalnum, text))
    )


def is_end_mark(text: str) -> bool:
    """Whether a line only says that something ends here: （完）, ■."""
    return len(text) <= 12 and _END_MARK.fullmatch(squeeze(text)) is not None


def is_bare_number(text: str) -> bool:
    """Whether a line is a number that could be a page's."""
    squeezed = squeeze(text)
    return squeezed.isdecimal() and len(squeezed) <= 4


def is_page_number(text: str) -> bool:
    """Whether a line is an ornamented page number: — 3 —, 第3页, 3/12, Page 3."""
    return len(text) <= 24 and _DECORATED_NUMBER.fullmatch(squeeze(text)) is not None


def is_numbered(text: str) -> bool:
    """Whether a line begins with the number of a list item, or with who asks or answers."""
    head = fold(text[:40])
    return _NUMBERED.match(head) is not None or QUESTION.match(head) is not None


def is_marked(text: str) -> bool:
    """Whether a line begins with a number or a bullet, and so begins a paragraph, wherever it stands."""
    return is_numbered(text) or _BULLETED.match(text) is not None


def is_ordinal_alone(text: str) -> bool:
    """Whether a line is only the number of what stands below it: "02", "PART 3", "二"."""
    return len(text) <= 12 and _ORDINAL_ALONE.fullmatch(fold(text)) is not None


def counts_on(text: str, line: str) -> bool:
    """Whether a line begins with the number after one that stands inside a text: "…；二是…；" and "三是…"."""
    match = _COUNTED.match(fold(line[:8]))
    if match is None:
        return False
    number = match["number"]
    before = str(int(number) - 1) if number.isdecimal() else _HAN[_HAN.index(number) - 1]
    return number not in {"1", "一"} and f"{match['lead']}{before}{match['tail']}" in fold(text)[1:]
