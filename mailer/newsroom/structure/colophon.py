"""The foot of the bulletin: who edited it, whom to call, to whom it goes. Read from the last line upwards."""

import re
from collections.abc import Sequence

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.imprint import ImprintRole, is_organisation, looks_like_people, read_labels, read_makers
from mailer.newsroom.structure.marks import is_end_mark, is_marked, is_rule
from mailer.newsroom.structure.masthead import Masthead, take_issue
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.typography import fold, is_finished, squeeze

_PRINT_RUN = re.compile(r".{0,12}(?:共印|印数|印发?|发行)[:：]?\d+[份册本].{0,4}")
_KNOWN = re.compile(
    r"内部(?:资料|刊物|交流)|免费(?:交流|赠阅)|注意(?:保存|保密)|仅供.{0,6}参[考阅]|不得外传|版权所有|(?:免责|版权)声明|翻印必究|准印|(?:^|》|刊)编辑部$|"
    r"欢迎.{0,8}(?:投稿|来稿|赐稿|批评|指正|订阅|提供|交流|联系)|(?:投|来)稿(?:邮箱|请寄|请发)|扫码|二维码|"
    r"all rights reserved|printed (?:by|in|on)|copyright|©|to (?:un)?subscribe|"
    r"this bulletin is|for internal|(?:www\.|https?://)\S+|[\w.+-]+@[\w-]+\.\w+",
    re.IGNORECASE,
)
# A short label that is not in our list, in the middle of ones that are: 赞助：€200.
_ANY_LABEL = re.compile(r"\S(?: ?\S){0,9} *:")
_SOURCE = re.compile(r"[\[(]? *(?:来 *源|稿 *源|source|摘 *自|转 *自|据)", re.IGNORECASE)
_LONGEST = 40


def find_colophon(blocks: list[Block], start: int, skip: set[int], masthead: Masthead, kept: set[str]) -> int:
    """The index where the colophon begins: `len(blocks)` when there is none. Lines in `skip` are furniture already."""
    publishers = {normal_form(imprint.value) for imprint in masthead.imprints if len(imprint.value) > 3}
    first = len(blocks)
    unsure = 0
    at = len(blocks) - 1
    while at >= max(start, len(blocks) - _LONGEST):
        block = blocks[at]
        if at in skip or is_rule(block.text) or is_end_mark(block.text):
            at -= 1
            continue
        if normal_form(block.text) in kept or not (block.is_short or _is_distribution(block.text)):
            break
        if is_colophon_line(block, publishers) or (at + 1 == first and _is_about_bulletin(block, masthead)):
            first, unsure = at, 0
        elif _is_loose(block, blocks, at, first) and unsure < 3:
            unsure += 1
            is_next = at + 1 == first < len(blocks)
            if is_next and block.blank_before > 0 == blocks[first].blank_before and _names_people(block.text):
                first, unsure = at, 0
        else:
            break
        at -= 1
    if start < first < len(blocks) and normal_form(blocks[first - 1].text) in kept:
        return _below_text(blocks, first)
    return first


def _below_text(blocks: Sequence[Block], first: int) -> int:
    """Where the colophon begins if the last announced title stands right above it: sentences there are its text."""
    end = first
    while end < len(blocks) and is_finished(blocks[end].text, soft=False) and not read_labels(blocks[end].text)[1]:
        end += 1
    return end


def is_colophon_line(block: Block, publishers: set[str]) -> bool:
    """Whether a line by itself says that it belongs to the colophon."""
    text, folded = block.text, fold(block.text)
    if _SOURCE.match(folded):
        return False
    before, labelled = read_labels(text)
    if labelled and (not before or len(before) <= 12 or is_organisation(before)):
        is_running_text = len(text) > 36 and text.endswith("。") and not _is_distribution(text)
        return not is_running_text
    if _PRINT_RUN.fullmatch(squeeze(text)) or (len(text) <= 80 and _KNOWN.search(folded)):
        return True
    makers = read_makers(text)
    if makers and (is_organisation(makers[0].value) or normal_form(makers[0].value) in publishers):
        return len(text) <= 60
    if normal_form(text) in publishers:
        return True
    scratch = Masthead()
    rest = take_issue(block, scratch)
    return bool(scratch.date) and all(is_organisation(piece) or piece in {"出版", "印发", "编印"} for piece in rest)


def _is_about_bulletin(block: Block, masthead: Masthead) -> bool:
    """Whether a sentence above the editors says how the bulletin appears: "Library Lines is published monthly."."""
    title = normal_form(masthead.title or "")
    is_said = len(title) > 2 and len(block.text) <= 100 and title in normal_form(block.text)
    return (
        is_said
        and re.search(r"出版|出刊|发行|欢迎|投稿|来稿|订阅|published|appears|issued", fold(block.text)) is not None
    )


def _names_people(text: str) -> bool:
    """Whether an unknown label stands before names: 编辑小组：顾临川、米岚."""
    label = _ANY_LABEL.match(fold(text))
    return label is not None and (looks_like_people(text[label.end() :]) or is_organisation(text[label.end() :]))


def _names_makers(text: str) -> bool:
    before, labelled = read_labels(text)
    return not before and len(labelled) > 1 and any(label.role is not ImprintRole.OTHER for label in labelled)


def _is_distribution(text: str) -> bool:
    return re.match(r"(?:主|抄|分|报|印)? ?[报送发] ?:", fold(text)) is not None


def _is_loose(block: Block, blocks: list[Block], at: int, first: int) -> bool:
    """Whether a line that says nothing may still belong: an unknown label right above known ones, or a wrapped list."""
    text = block.text
    if _ANY_LABEL.match(fold(text)) and len(text) <= 40 and not text.endswith("。") and not is_marked(text):
        return first < len(blocks) or at >= len(blocks) - 3
    if first == len(blocks) and len(text) <= 80 and not is_finished(text) and not is_marked(text):
        # The last words of all, under a line that decides: an address, a motto.
        return True
    above = blocks[at - 1].text if at else ""
    if first == len(blocks) and len(text) <= 60 and not is_marked(text) and _names_makers(above):
        # And so may a sentence, under a line that names the editors.
        return True
    return (
        block.blank_before == 0
        and bool(above)
        and (above[-1:] in "、，,：:" or block.indent > blocks[at - 1].indent > 0)
        and (
            _is_distribution(above)
            or above[-1:] in "：:"
            or any(label.role is not ImprintRole.PHONE for label in read_labels(above)[1])
        )
    )
