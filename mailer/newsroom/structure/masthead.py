"""The head of the first page: title, number, running number, volume, year, date, and who publishes it."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.imprint import (
    VERB_ALONE,
    Imprint,
    ImprintRole,
    is_organisation,
    is_unit,
    read_labels,
    read_makers,
)
from mailer.newsroom.structure.numerals import DATES, NUMBER, SPANS, YEARS, date_in, date_of, numeral, year_of
from mailer.newsroom.structure.typography import fold, is_cjk, squeeze

_RANGE = rf"(?P<number>{NUMBER})(?: ?(?:[-—~/、,和&]|至) ?(?:第 ?)?(?P<last>{NUMBER}))?"
_TOTALS = (
    re.compile(rf"\(? ?(?:总 ?(?:第|期 ?第?|No\.?)?|累 ?计 ?第?) ?{_RANGE} ?[期号]? ?\)?", re.IGNORECASE),
    re.compile(
        r"\(? ?(?:total|whole|overall|cumulative|serial|consecutive)(?: (?:issue|number))? ?(?:no\.?|number)? ?[:#]? ?"
        r"(?P<number>\d+)(?P<last>)\)?",
        re.IGNORECASE,
    ),
    re.compile(r"\(? ?(?:issue|no\.?) ?(?P<number>\d+)(?P<last>) (?:overall|in total|in all)\)?", re.IGNORECASE),
)
_VOLUMES = (
    re.compile(rf"第 ?(?P<number>{NUMBER}) ?卷(?P<last>)"),
    re.compile(r"\bvol(?:ume|\.)?,? ?(?P<number>\d+|[ivxlc]+)\b(?P<last>)", re.IGNORECASE),
)
_NUMBERS = (
    re.compile(r"\bno\.? ?(?P<number>\d{1,3})(?P<last>) ?/ ?(?P<year>20\d\d)(?!\d)", re.IGNORECASE),
    re.compile(r"第 ?(?P<year>20\d\d) ?[-—/.] ?(?P<number>\d{1,3})(?P<last>) ?[期号]"),
    re.compile(rf"[\[(] ?(?P<year>(?:19|20)\d\d) ?[\])] ?第 ?{_RANGE} ?[期号](?: ?合 ?刊)?"),
    re.compile(rf"[\[(] ?(?P<year>(?:19|20)\d\d) ?[\])] ?{_RANGE} ?期(?: ?合 ?刊)?"),
    # By itself on its line; behind a word (望科发〔2024〕15号) it is an official letter's.
    re.compile(r"^[\[(] ?(?P<year>(?:19|20)\d\d) ?[\])] ?(?P<number>\d{1,4})(?P<last>) ?号?$"),
    re.compile(rf"第 ?{_RANGE} ?[期号辑](?: ?\(? ?合 ?[刊期] ?\)?)?"),
    re.compile(rf"(?<=年) ?{_RANGE} ?期(?: ?\(? ?合 ?刊 ?\)?)?"),
    re.compile(rf"{_RANGE} ?期 ?合 ?刊"),
    re.compile(
        r"(?:\b(?:nos?\.|no\b|no(?=\d)|issue|number|nr\.?)|№|#) ?(?:no\.? ?)?#?"
        r"(?P<number>\d{1,4})(?: ?(?:[-—/&]|and) ?(?P<last>\d{1,4}))?",
        re.IGNORECASE,
    ),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d) ?[·•・] ?(?P<number>\d{1,2})(?P<last>)(?!\d)"),
    re.compile(r"(?P<number>创刊号)(?P<last>)"),
)
# What mastheads also say, understood and of no consequence.
_KNOWN = re.compile(
    r"[\[(]?(?:(?:双|半)?[月周]刊|季刊|旬刊|年刊|日刊|不定期|特刊|增刊|专刊|试刊|创刊|合刊|专题|赠阅|"
    r"内部(?:资料|刊物|交流|参考|参阅|文件|材料|发行|使用|学习)|(?:供)?(?:领导|内部)(?:参阅|参考)|免费(?:交流|赠阅)|注意(?:保存|保密)|妥善保管|"
    r"仅供(?:参考|内部参考|领导参阅)|原创.{0,30}|点击.{0,16}关注.{0,8}|供领导参阅|(?:不得|请勿|严禁|禁止)(?:外传|翻印|转载)|[上中下](?:旬|半月)?|本期[一二三四五六七八九十两]+[版页]|密级|(?:特|加|平)急|"
    r"[机秘绝]密(?:[★☆]?(?:\d+|[一二三四五六七八九十]+)[年月])?|"
    r"出版|印发|发布|刊出|出刊|编印|本期(?:共)?\d*[版页]?|共\d+[页版]|"
    r"星期[一二三四五六日天]|周[一二三四五六日]|第?[一二三四1-4]季度|[上下]半年|"
    r"monthly|bi-?monthly|quarterly|weekly|fortnightly|bi-?weekly|annual|internal|"
    r"for internal (?:use|circulation)(?: only)?|free|not for sale|published|issued|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|农历.*|[\d、,~—-]+月份?(?:合刊|号|刊)|issn.*|(?:内)?刊号.*|准印证.*|cn\d.*|no)[\])]?",
    re.IGNORECASE,
)
_TITLE_WORDS = re.compile(
    r"(?:参考|动态|快报|简报|通讯|通报|信息|简讯|情报|要闻|周报|月报|季报|日报|快讯|月刊|季刊|学报|园地|之窗|专报|"
    r"摘编|文摘|内参|导刊|天地|视野|观察|汇编|要情|资讯|工作|简訊|通訊|"
    r"bulletins?|newsletter|news|notes|report|digest|review|letter|gazette|journal|brief|briefing|update|herald|monitor)$",
    re.IGNORECASE,
)
# An English line under the title that says whose it is.
_ISSUED_BY = re.compile(
    r"(?:(?:an?|the) )?(?:\w+ )?(?:newsletter|bulletin|journal|magazine|digest|publication|news) (?:of|from|by) "
    r"(?:the )?(?P<name>.+)",
    re.IGNORECASE,
)
# A name that says whose department it is only together with the line above: 办公室, 科技信息中心.
_DEPENDENT = re.compile(
    r"(?!.*(?:[省市县区州盟旗]|大学|学院|研究院|协会|学会|实验室|公司)).*(?:办公室|中心|[处科室部所]|编辑部)"
)
# The year stands beside it: 2024年第4期  8月15日出版.
_DAY = re.compile(rf"(?P<month>{NUMBER}) ?月 ?(?P<day>{NUMBER}) ?[日号] ?(?:出版|出刊|印发|编印|发行)")
# What stands before a date and says no more than that it is one: 出刊日期：, 出版：, published on.
_DATE_LABEL = re.compile(
    r"(?:(?:出版|印发|编印|出刊|发布|刊出|发行|印制|成文)?(?:日期|时间)|出版|印发|出刊|发布|published(?: on)?|date)"
    r" ?:? ?$",
    re.IGNORECASE,
)
_WIDE = re.compile(r" {2,}|[\t\u3000]+")
# What brackets say of a title is no part of it, if mastheads say it of any: 数据要素观察（半月刊）.
_TAIL = re.compile(r"(?P<title>.{2,}?) ?[（(](?P<said>[^（）()]{2,12})[）)]")
_TRIM = " \t\u3000;；|｜，,、。·•/／:：()（）[]【】〔〕—–-─*■◆●▪"
TAKEN = "\x00"


@dataclass(slots=True)
class Masthead:
    """What the head of the document told. Numbers are strings without leading zeros; `None` is unknown."""

    title: str | None = None
    year: int | None = None
    number: str | None = None
    total_number: str | None = None
    volume: str | None = None
    date: dt.date | None = None
    imprints: list[Imprint] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    strays: list[Block] = field(default_factory=list)
    impossible_dates: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Candidate:
    block: Block
    text: str
    order: int


class Cutter:
    """A line from which understood pieces are cut, one after the other; what is left can be asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded = fold(text)

    def take(self, *patterns: re.Pattern[str]) -> re.Match[str] | None:
        """Cuts and returns the first match of the first pattern that has one."""
        for pattern in patterns:
            if match := pattern.search(self._folded):
                self._cut(*match.span())
                return match
        return None

    def take_date(self, patterns: Sequence[re.Pattern[str]]) -> re.Match[str] | None:
        """The same, and the label that only says that a date follows."""
        match = self.take(*patterns)
        if match and (label := _DATE_LABEL.search(self._folded[: match.start()])):
            self._cut(*label.span())
        return match

    def _cut(self, start: int, end: int) -> None:
        self._folded = self._folded[:start] + TAKEN * (end - start) + self._folded[end:]

    def rest(self) -> list[str]:
        """The pieces that were not taken, trimmed, as printed."""
        kept = "".join(TAKEN if f == TAKEN else c for c, f in zip(self._text, self._folded, strict=True))
        return [piece for piece in (_trimmed(part) for part in kept.split(TAKEN)) if piece]


def _trimmed(text: str) -> str:
    """Trimmed, but a bracket that closes one inside stays: 产业简报（电子版）."""
    piece = text.strip(_TRIM)
    is_open = "（" in piece and "）" not in piece
    return piece + "）" if is_open and piece + "）" in text else piece


def read_masthead(blocks: list[Block]) -> Masthead:
    """Reads the lines above the contents list (or above the first article)."""
    masthead = Masthead()
    candidates: list[_Candidate] = []
    for block in blocks:
        if not block.is_short:
            masthead.strays.append(block)
            continue
        for piece in take_issue(block, masthead):
            _sort_piece(piece, block, masthead, candidates)
    _settle(masthead, candidates)
    return masthead


def is_masthead_line(block: Block) -> bool:
    """Whether a line by itself can only stand at the head: number, date or maker, with little beside them."""
    found = Masthead()
    rest = take_issue(block, found)
    if any(mark in piece for piece in rest if not is_known(piece) for mark in "，。"):
        return False
    if found.number or found.total_number or found.volume or found.date:
        return True
    if found.year:
        return all(len(piece) <= 8 or read_makers(piece) or is_organisation(piece) for piece in rest)
    before, labelled = read_labels(block.text)
    if labelled:
        return not before
    return bool(read_makers(before)) or is_organisation(before) or is_known(before)


def is_known(text: str) -> bool:
    """Whether a line says only what mastheads say and nothing needs: 月刊, 内部资料 注意保存."""
    parts = re.split(r"[\s\u3000·|/，,、；;]+", text)
    return all(_KNOWN.fullmatch(squeeze(part)) for part in parts) or _KNOWN.fullmatch(squeeze(text)) is not None


def take_issue(block: Block, masthead: Masthead) -> list[str]:
    """Takes numbers and dates out of a line into `masthead` (the first of each kind wins); returns what is left."""
    line = Cutter(block.text)
    if match := line.take(*_TOTALS):
        masthead.total_number = masthead.total_number or _number(match)
    if match := line.take(*_VOLUMES):
        masthead.volume = masthead.volume or _number(match)
    span = line.take(*SPANS)
    # Before dates: in "No. 6  December 2024" the six is no day.
    if match := line.take(*_NUMBERS):
        masthead.number = masthead.number or _number(match)
        if year := match.groupdict().get("year"):
            masthead.year = masthead.year or int(year)
    if match := line.take_date(DATES):
        date = date_of(match)
        if date is None:
            masthead.impossible_dates.append(block)
        masthead.date = masthead.date or date
        date_year = year_of(match)
    else:
        date_year = None
    if match := line.take_date(YEARS):
        masthead.year = masthead.year or year_of(match)
    if span and span["year"]:
        masthead.year = masthead.year or year_of(span)
    masthead.year = masthead.year or date_year
    if masthead.year and masthead.date is None and (day := line.take(_DAY)):
        masthead.date = date_in(masthead.year, day)
    return line.rest()


def _number(match: re.Match[str]) -> str | None:
    if match["number"] == "创刊号":
        return "1"
    first, last = numeral(match["number"]), numeral(match["last"] or "")
    if first is None:
        return None
    return f"{first}-{last}" if last is not None else str(first)


def _sort_piece(piece: str, block: Block, masthead: Masthead, candidates: list[_Candidate]) -> None:
    before, labelled = read_labels(piece)
    masthead.imprints += labelled
    if labelled and not before:
        return
    makers = read_makers(before)
    if not makers and len(parts := _WIDE.split(before)) > 1 and any(map(read_makers, parts)):
        for part in parts:
            _sort_piece(part, block, masthead, candidates)
        return
    above = candidates[-1].text if candidates and is_organisation(candidates[-1].text) else ""
    if makers:
        if above and _DEPENDENT.fullmatch(makers[0].value):
            makers[0] = replace(makers[0], value=above + makers[0].value)
            candidates.pop()
        elif above and makers[0].label.startswith("合"):
            makers.insert(0, replace(makers[0], value=above))
            candidates.pop()
        masthead.imprints += makers
    elif VERB_ALONE.fullmatch(fold(before)) and above:
        masthead.imprints += read_makers(f"{above} {before}")
        candidates.pop()
    elif candidates and (of := _ISSUED_BY.fullmatch(before)) and is_organisation(of["name"]):
        masthead.imprints.append(Imprint(ImprintRole.PUBLISHER, "", of["name"]))
    elif is_known(before):
        masthead.extras.append(before)
    else:
        candidates.append(_Candidate(block, unspaced(before), len(candidates)))


def _settle(masthead: Masthead, candidates: list[_Candidate]) -> None:
    """Decides which of the unlabelled pieces is the title and which is the publisher."""
    is_chinese = any(is_cjk(character) for candidate in candidates for character in candidate.text)
    has_small = not is_chinese and any(not candidate.text.isupper() for candidate in candidates)
    title = max(
        candidates,
        key=lambda candidate: _title_score(candidate, is_chinese=is_chinese, has_small=has_small),
        default=None,
    )
    if title is not None:
        masthead.title = _unquoted(title.text)
        if (tail := _TAIL.fullmatch(masthead.title)) and is_known(tail["said"]):
            masthead.title = tail["title"]
    named = {imprint.value for imprint in masthead.imprints}
    for candidate in candidates:
        if candidate is title or candidate.text in named:
            continue
        if is_organisation(candidate.text) or is_unit(candidate.text):
            masthead.imprints.append(Imprint(ImprintRole.SUPERVISOR, "", candidate.text))
        elif title is not None and (candidate.text == title.text or _is_translation(candidate.text, title.text)):
            masthead.extras.append(candidate.text)
        else:
            masthead.strays += [candidate.block] if candidate.block not in masthead.strays else []


def _unquoted(title: str) -> str:
    return title[1:-1] if title[:1] == "《" and title.find("》") == len(title) - 1 else title


def _title_score(candidate: _Candidate, *, is_chinese: bool, has_small: bool) -> float:
    text, block = candidate.text, candidate.block
    score = -candidate.order * 0.5
    # Beside a Chinese title an English one is its translation.
    score -= 3 * (is_chinese and not any(map(is_cjk, text)))
    # Capitals are set for names.
    score += 2 * (has_small and text.isupper())
    score += 3 * (text != block.text and squeeze(text) == squeeze(block.text))
    score += 2 * (_TITLE_WORDS.search(text) is not None)
    score += 2 * (text[:1] == "《" and text[-1:] == "》")
    score += (block.level == 1) * 3 + block.is_bold + (block.size or 0) / 10
    score -= 3 * is_organisation(text) + 2 * (len(text) > 30 and any(map(is_cjk, text))) + 4 * (len(text) < 2)
    return score


def _is_translation(text: str, title: str) -> bool:
    """Whether it may be the title in the other script: "LANZHOU SCIENCE NEWS" beside 澜州科技动态."""
    return any(map(is_cjk, text)) != any(map(is_cjk, title)) and len(text) <= 80


def unspaced(text: str) -> str:
    """A letter-spaced word without its spaces: "北 屿 信 息 快 报", "N E W S  L E T T E R"; other text unchanged."""
    words = text.split()
    if len(words) < 2:
        return text
    if all(is_cjk(character) for word in words for character in word):
        longest = max(map(len, words))
        spaced = longest == 1 or (longest == 2 and len(words) > 2) or sum(len(w) == 1 for w in words) > len(words) * 0.6
        return "".join(words) if spaced else " ".join(words)
    if len(words) >= 4 and all(len(word) == 1 for word in words):
        return " ".join("".join(word.split()) for word in re.split(r"\s{2,}|\u3000+", text))
    return " ".join(words)
