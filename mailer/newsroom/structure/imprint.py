"""Who made the bulletin: labelled values (编辑：… 电话：…) and bodies with a verb (…局主办), at its head and foot."""

import re
from dataclasses import dataclass
from enum import StrEnum

from mailer.newsroom.structure.lexicon import BARE_LABELS, COMPOUND_SURNAMES, LABELS, SURNAMES
from mailer.newsroom.structure.typography import fold, is_cjk


class ImprintRole(StrEnum):
    """What a labelled value is. Order within a purpose is rank: a responsible editor goes before an editor."""

    RESPONSIBLE_EDITOR = "responsible_editor"
    EDITOR = "editor"
    CHIEF_EDITOR = "chief_editor"
    PHONE = "phone"
    HOST = "host"
    COMPILER = "compiler"
    PUBLISHER = "publisher"
    ORGANISER = "organiser"
    SUPERVISOR = "supervisor"
    DATE = "date"
    OTHER = "other"


EDITORS = (ImprintRole.RESPONSIBLE_EDITOR, ImprintRole.EDITOR, ImprintRole.CHIEF_EDITOR)
PUBLISHERS = (
    ImprintRole.HOST,
    ImprintRole.COMPILER,
    ImprintRole.PUBLISHER,
    ImprintRole.ORGANISER,
    ImprintRole.SUPERVISOR,
)

_COMPOUND_SURNAMES = frozenset(COMPOUND_SURNAMES.split())
_ROLE_OF = {word.replace("_", " "): ImprintRole(role) for role, words in LABELS.items() for word in words.split()}
# Labels of one character are too common in running text to be looked for anywhere but at the head of a line.
_SINGLE = {word for word in _ROLE_OF if len(word) == 1}


def _pattern(words: set[str]) -> str:
    longest_first = sorted(words, key=len, reverse=True)
    spaced = (
        r" *".join(map(re.escape, w)) if not w[0].isascii() else re.escape(w).replace(r"\ ", " +")
        for w in longest_first
    )
    return "|".join(spaced)


_WORD = _pattern(set(_ROLE_OF) - _SINGLE)
# Bilingual labels stand side by side: "编辑 Editor：".
_ENGLISH = _pattern({word for word in _ROLE_OF if word.isascii() and len(word) > 1})
_MORE = rf"(?: *[/、&及和(] *(?:{_WORD})\)?| *(?:{_ENGLISH})(?= *:))*"
_BEFORE = r"(?:^|(?<=[\s\]()|;,。、/:·—●■◆★▪])|(?<=[0-9]))[\[(☎]?"
# A colon follows, or a bracket closes; a phone's label may stand right before its number.
_AFTER = rf"(?:\]? *(?::|\]|\|(?! *(?:{_WORD})))|(?: |\.)(?=[ (+]*\d[\d (])|(?<=[话l线])(?=[(+]?\d\d))"
_LABEL = re.compile(rf"{_BEFORE}(?P<word>{_WORD})(?P<more>{_MORE}){_AFTER}", re.IGNORECASE)
_HEAD_LABEL = re.compile(rf"[\[(]?(?P<word>{_pattern(_SINGLE)})(?P<more>)\]? *:")
# "编辑 李涛": no colon, but nothing else than names follows.
_BARE_LABEL = re.compile(
    rf"(?:^|(?<= {{2}})|(?<=\())(?P<word>{_pattern(set(BARE_LABELS.split()))})(?P<more>) {{1,8}}"
    r"(?=[一-鿿](?: ?[一-鿿]){1,3}(?:[ 、,)]|$))"
)
# "主办单位  望川市科技局": nor here.
_BARE_BODY = re.compile(
    r"(?:^|(?<= {2}))(?P<word>(?:主 ?办|编 ?印|编 ?辑|主 ?管|承 ?办|协 ?办|出 ?版|发 ?行)(?: ?单 ?位)?)(?P<more>) {1,8}"
    r"(?=[一-鿿]{3,}(?:局|厅|部|委|办|院|所|馆|会|中心|室|大学|公司|政府|处|台|站|社|园|校|院|集团)(?: {2}|$))"
)
_BY = re.compile(r"^(?P<word>(?:edited|compiled|published|issued|produced) +by)(?P<more>) +(?!:)", re.IGNORECASE)
_PHONE_SIGN = re.compile(r"[☎☏✆](?P<word>)(?P<more>) *:? *(?=[(+]?\d)")
_PHONE = re.compile(r"[(+]?\d[\d ()+*.—\-转x/、,]{4,}")
# A label that we do not know, set off by wide space: 编辑：关山    复核：…
_OTHER_LABEL = re.compile(r"(?:\s{2,}|\u3000)[^\s:：\d]{1,8} ?[:：](?!//).*$", re.DOTALL)
# How many were printed stands at the end of the line, behind whatever comes last.
_PRINT_RUN = re.compile(r"\s[\s(（\[]*(?:共印|印数|印发|印|发行)[:： ]*\d+ ?[份册本][)）\]]?\s*$")
_TRIM = " \t\u3000;；|｜，,、。·/／[]【】()（）■◆●▪"

_TRIM_OUTSIDE = "".join(character for character in _TRIM if character not in "()（）")

_ORGANISATION = re.compile(
    r"(?!.*(?:召开|举办|举行|成立|揭牌|建成|启动|启用|新增|走进|助力|开展|发布|印发|出台|入选|获批))"
    r".*(?:[局厅部委处院所办馆社站]|[学协商工]会|(?:委员|联合|研究|理事|基金|促进|党委|常委|管委)会|中心|办公室|大学|公司|集团|政府|实验室|科协|"
    r"领导小组|[编辑写]{2}组|(?:课题|督导|督查|调研|专家|工作|项目|写作|报道|通讯)组|专班|基地|园区|[商联]盟)"
)
# The word that says what kind of body it is ends the name, or leads on to its field: Institute of Marine Science.
_ORGANISATION_EN = re.compile(
    r"\b(?:universit(?:y|ies)|institut(?:e|ion)s?|bureau|departments?|office|cent(?:er|re)s?|academy|council|agency|"
    r"association|society|ministry|laborator(?:y|ies)|library|committee|foundation|schools?|college|authority|"
    r"commission|faculty|division)(?= (?:of|for|on|and|&) |,| *[(/]|$)",
    re.IGNORECASE,
)
_SMALL_WORDS = frozenset({"of", "the", "for", "and", "in", "on", "at", "to", "by", "de", "&"})
_VERBS: dict[str, ImprintRole] = (
    dict.fromkeys(("主管主办", "主办", "主办编印"), ImprintRole.HOST)
    | dict.fromkeys(
        ("编印", "编辑出版", "编辑发行", "编辑印发", "编辑", "编制", "编发", "编写", "编译", "合编", "主编", "编"),
        ImprintRole.COMPILER,
    )
    | dict.fromkeys(("出版", "印发", "发布", "发行", "主送"), ImprintRole.PUBLISHER)
    | dict.fromkeys(("承办", "协办"), ImprintRole.ORGANISER)
    | {"主管": ImprintRole.SUPERVISOR}
)
_VERB = "|".join(sorted(_VERBS, key=len, reverse=True))
_SPACED_VERB = "|".join(" *".join(verb) for verb in sorted(_VERBS, key=len, reverse=True))
_MADE_BY = re.compile(
    rf"(?P<name>\S(?:.*?\S)??)(?P<gap> *)\(?(?<![汇选摘新续简改])(?P<verb>{_SPACED_VERB})\)?(?= |$|[,;。、)|/])"
)
# 信 息 摘 编 is a title, letter-spaced, and no 信息摘 that edits.
_DIGEST = re.compile(r"[汇选摘新续简改] *编$")
# How the part of an office ends that makes bulletins; by itself it says too little.
_UNIT = re.compile(r"(?:局|委|办|室|处|部|院|中心|公司|大学|协会).*[科室股组队]$")
_LONGEST_VALUE = 120
VERB_ALONE = re.compile(rf"\(?(?:{_SPACED_VERB})\)?")


@dataclass(frozen=True, slots=True)
class Imprint:
    """One labelled value. `label` is the word as printed, `value` as printed but trimmed."""

    role: ImprintRole
    label: str
    value: str


def read_labels(text: str) -> tuple[str, list[Imprint]]:
    """What stands before the first label of a line, and every labelled value after it."""
    folded = fold(text)
    head = _HEAD_LABEL.match(folded)
    found = [head] if head else []
    start = head.end() if head else 0
    found += sorted(
        (
            match
            for pattern in (_LABEL, _BARE_LABEL, _BARE_BODY, _BY, _PHONE_SIGN)
            for match in pattern.finditer(folded, start)
        ),
        key=lambda match: match.start(),
    )
    found = [match for at, match in enumerate(found) if at == 0 or match.start() >= found[at - 1].end()]
    imprints = []
    for at, match in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(text)
        value, makers = _without_makers(text[match.end() : end])
        imprints += [_imprint(match, _value(value)), *makers]
    return (text[: found[0].start()].strip(_TRIM) if found else text), imprints


def _without_makers(text: str) -> tuple[str, list[Imprint]]:
    """A label's value, and the bodies named wide behind it with what they did: "刊号：0000-0001    某学会主办"."""
    gap = max(text.rfind(space) for space in ("  ", "\t", "\u3000"))
    if gap <= 0 or not text[:gap].strip() or len(text) > _LONGEST_VALUE:
        return text, []
    makers = [maker for maker in read_makers(text[gap:].strip()) if is_organisation(maker.value)]
    return (text[:gap], makers) if makers else (text, [])


def _value(text: str) -> str:
    """Trimmed, but a bracket that belongs to the value ("(0471) 4366683") stays."""
    value = _OTHER_LABEL.sub("", _PRINT_RUN.sub("", text)).strip(_TRIM_OUTSIDE)
    folded = fold(value)
    if folded.endswith(")") and folded.count(")") > folded.count("("):
        value = value[:-1].rstrip(_TRIM_OUTSIDE)
    return value[1:].lstrip() if value[:1] in {"(", "（"} and not {")", "）"} & set(value) else value


def _imprint(match: re.Match[str], value: str) -> Imprint:
    word = " ".join(match["word"].lower().split())
    role = _ROLE_OF.get(word) or _ROLE_OF.get(
        word.replace(" ", ""), ImprintRole.PHONE if not word else ImprintRole.OTHER
    )
    if match["word"].lower().endswith(" by"):
        value = re.sub(r"^the ", "", value, flags=re.IGNORECASE)
    if role in EDITORS and is_organisation(value):
        role = ImprintRole.COMPILER
    if fold(match["word"]) in {"发行", "出品"} and is_organisation(value):
        role = ImprintRole.PUBLISHER
    return Imprint(role, match["word"], value)


def read_makers(text: str) -> list[Imprint]:
    """Bodies named with what they did: "澜州市科技局 编印", "甲局主办  乙所承办". Empty for any other line."""
    makers, at = [], 0
    folded = fold(text)
    while match := _MADE_BY.match(folded, at):
        name = text[match.start("name") : match.end("name")].strip(_TRIM)
        verb = match["verb"].replace(" ", "")
        if (
            _DIGEST.search(f"{name}{match['verb']}")
            or len(name) < 2
            or not (is_organisation(name) or _UNIT.search(fold(name)) or match["gap"] or len(verb) > 1)
        ):
            return []
        makers.append(Imprint(_VERBS[verb], verb, name))
        at = match.end() + len(folded[match.end() :]) - len(folded[match.end() :].lstrip(" ,;。、)|/"))
    return makers if at >= len(folded) else []


def is_organisation(text: str) -> bool:
    """Whether a name is a body's rather than a person's or a title."""
    name = fold(text).strip(_TRIM_OUTSIDE)
    if name[:1] == "(" and name[-1:] == ")":
        name = name[1:-1].strip()
    if name[-1:] == ")":
        return False
    if _ORGANISATION_EN.search(name):
        words = [word for word in name.split() if word.lower() not in _SMALL_WORDS]
        return len(words) <= 12 and name[-1:] != "." and all(word[:1].isupper() or not word.isalpha() for word in words)
    return len(name) >= 4 and _ORGANISATION.fullmatch(name.replace(" ", "")) is not None


def is_unit(text: str) -> bool:
    """Whether a line names a part of a body, which makes bulletins and is no title: 平湖区教育局安全科."""
    return 5 <= len(text) <= 24 and _UNIT.search(fold(text)) is not None


def person_name(value: str) -> str:
    """A name without the spaces that only justify it ("李 涛"); two people ("郑可 乔木") keep the one between them."""
    # What brackets say of a person is no name: 李涛（特约）.
    value = re.sub(r"(?<=\S) *[（(][^（）()]*[)）]\W*$", "", value)
    pieces = re.split(r" *([、，,/；;]) *", value.strip(_TRIM))
    return "".join(_tightened(piece.split()) if at % 2 == 0 else piece for at, piece in enumerate(pieces))


def _tightened(words: list[str]) -> str:
    if len(words) < 2 or not all(is_cjk(character) for word in words for character in word):
        return " ".join(words)
    if len(words) == 2 and 1 in map(len, words) and len("".join(words)) <= 4:
        return "".join(words)
    names: list[str] = []
    at = 0
    while at < len(words):
        taken = _spaced_name(words[at:])
        names.append("".join(words[at : at + taken]))
        at += taken
    return " ".join(names)


def _spaced_name(words: list[str]) -> int:
    """How many of the words, from the first, are one name: two or three single characters, 欧阳 with what follows."""
    singles = next((at for at, word in enumerate(words) if len(word) > 1), len(words))
    if singles >= 2:
        return 3 if singles == 3 else 2
    return 2 if words[0] in _COMPOUND_SURNAMES and len(words) > 1 and len(words[1]) <= 2 else 1


def looks_like_people(text: str) -> bool:
    """Whether a short line is nothing but two- to four-character names with surnames that exist."""
    words = [word for word in re.split(r"[\s、，,]+", person_name(text)) if word]
    return 1 <= len(words) <= 6 and all(
        2 <= len(word) <= 4 and all(is_cjk(c) for c in word) and (word[0] in SURNAMES or word[:2] in _COMPOUND_SURNAMES)
        for word in words
    )


def phone_number(value: str) -> str | None:
    """The number in a phone's value, digits made half-width: "（0471）4366683 转 8001". `None` when there is none."""
    match = _PHONE.search(fold(value).replace("—", "-"))
    if match is None:
        return None
    number = re.sub(r" *- *", "-", match[0]).rstrip(" ,、/(.-*+转x")
    return re.sub(r" {2,}.*", "", number) or None
