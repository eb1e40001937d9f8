"""Made-up bulletins set in many ways, with what a reader would say is in them."""

import unicodedata
from dataclasses import dataclass, field

from hypothesis import strategies as st

ARTICLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "松岭实验室建成低温计量平台",
        (
            "10月20日，松岭实验室低温计量平台通过验收，可在零下269摄氏度条件下对温度传感器进行量值传递，填补了区域空白。",
            "“我们等这个平台等了七年。”实验室副主任秦若衡介绍，过去企业的传感器要送到一千公里外校准，往返一次至少三周。",
        ),
    ),
    (
        "“夜间实验室”受欢迎：预约排到月底",
        (
            "入夏以来，松岭大学把六个教学实验室开放到晚上十点，预约已经排到月底，周末一位难求，学生自发建起了候补名单。",
            "值班教师由研究生担任，每晚补贴一百元；设备损坏由学校保险赔付，开放两个月来仅报修三次，均为移液器漏液。",
            "下一步，学校将把开放范围扩大到金工、木工和陶艺三个车间，并向附近两所中学的科学社团开放周六上午的时段。",
        ),
    ),
    (
        "白渡镇绿色防控见闻",
        (
            "傍晚，白渡镇的稻田边亮起一盏盏紫色的灯，灯下的摄像头每隔十分钟拍一张照片，识别后把虫情发到农户的手机上。",
            "全镇安装智能虫情灯八十六盏，农药用量同比下降百分之十九，绿色防控面积占到水稻种植面积的四分之三以上。",
        ),
    ),
    (
        "望川市启动“百团进百企”行动",
        (
            "11月1日，望川市启动“百团进百企”行动，组织一百个专家团队对接一百家中小企业，首批二十一个团队当天签约。",
            "行动为期两年，每个团队每季度至少到企业工作五天，所需经费由市财政按每团队每年8万元的标准列支，不得挪作他用。",
        ),
    ),
    (
        "一座水文站的数字化十年",
        (
            "白渡水文站的老站长翻开值班日志，指着泛黄的纸页说，十年前水位靠人一小时一读，雨夜里要打着手电下到水边。",
            "现在，七路传感器每分钟自动上报一次数据，洪峰预报的提前量从四小时延长到十一小时，下游三个镇都装上了电子水尺。",
        ),
    ),
    (
        "县域企业为什么招不到研发人员？",
        (
            "一是平台少。全市县域省级以上研发平台仅九个，多数企业没有独立实验室，新产品只能送到城里的检测机构去验证。",
            "二是通勤难。从县城到高校平均需要一小时四十分钟，周末往返成本高，双职工家庭的孩子入学问题也还没有解决好。",
        ),
    ),
)
MASTHEADS: tuple[tuple[str, dict[str, object]], ...] = (
    (
        "望川科技要情\n2025年第11期（总第138期）\n望川市科学技术信息研究院编印　　2025年11月5日",
        {"title": "望川科技要情", "year": 2025, "number": "11", "total_number": "138", "date": "2025-11-05",
         "publisher": "望川市科学技术信息研究院"},
    ),
    (
        "北 山 信 息 快 报\n\n第 21 期\n\n北山市数据局 编　　　　二〇二四年八月十二日",
        {"title": "北山信息快报", "year": 2024, "number": "21", "total_number": None, "date": "2024-08-12",
         "publisher": "北山市数据局"},
    ),
    (
        "　　　　内部资料　注意保存\n《创新导刊》\n2023年第二十三期\n主办单位：松岭高新区管委会",
        {"title": "创新导刊", "year": 2023, "number": "23", "total_number": None, "date": None,
         "publisher": "松岭高新区管委会"},
    ),
)  # fmt: skip
FEET = (
    ("编辑：石 玥\n电话：0000-5550145", "石玥", "0000-5550145"),
    ("主编：卢岸    责任编辑：金一诺    校对：苗青禾\n电话：5550146    传真：5550147", "金一诺", "5550146"),
    (
        "报：市委、市政府。\n发：各区县科技局。\n签发：方既明　　编辑：温以宁　　电话：0000-5550148\n（共印80份）",
        "温以宁",
        "0000-5550148",
    ),
)
HEADINGS = ("目录", "目  录", "【本期导读】", "本 期 要 目")
BULLETS = ("★ ", "● ", "- ★ ", "", "1. ")
LEADERS = ("……", " ………… ", "——", "........", "·······")
PAGES = ("{}", "（{}）", "P{}", "第{}页")


@dataclass
class Made:
    """A bulletin's text and the truth about it."""

    text: str
    fields: dict[str, object]
    titles: list[str]
    paragraphs: list[list[str]]
    pages: list[int | None]
    sections: list[str | None] = field(default_factory=list)


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def wrapped(text: str, width: int, first: str) -> list[str]:
    """Lines of at most `width` columns; a comma never begins one."""
    lines, line = [], first
    for character in text:
        if columns(line) >= width and character not in "，。、；：？！”）":
            lines.append(line)
            line = ""
        line += character
    return [*lines, line]


@st.composite
def bulletins(draw: st.DrawFn) -> Made:
    """A bulletin with a contents list; masthead, list, layout, page cuts and colophon vary independently."""
    chosen = draw(st.lists(st.sampled_from(ARTICLES), min_size=2, max_size=5, unique_by=lambda article: article[0]))
    masthead, fields = draw(st.sampled_from(MASTHEADS))
    foot, editor, phone = draw(st.sampled_from(FEET))
    pages = [2 * number + 1 for number in range(len(chosen))]
    has_sections = draw(st.booleans())
    sections: list[str | None] = [None] * len(chosen)
    if has_sections:
        sections = ["工作动态" if number == 0 else "基层见闻" for number in range(len(chosen))]
    contents, listed = _contents(draw, [title for title, _ in chosen], pages, sections)
    body = _body(draw, chosen, sections)
    text = "\n".join([masthead, "", *contents, "", *body, "", foot])
    return Made(
        text,
        fields | {"editor": editor, "phone": phone},
        [title for title, _ in chosen],
        [list(paragraphs) for _, paragraphs in chosen],
        listed,
        sections,
    )


def _contents(draw, titles, pages, sections):
    lines = [draw(st.sampled_from(HEADINGS))]
    bullet, leader, page = draw(st.sampled_from(BULLETS)), draw(st.sampled_from(LEADERS)), draw(st.sampled_from(PAGES))
    is_paged = draw(st.booleans()) or not bullet
    spelling = draw(st.sampled_from(("as it is", "straight quotes", "extra")))
    for number, title in enumerate(titles):
        if sections[number] and sections[number] not in sections[:number]:
            lines.append(f"【{sections[number]}】")
        written = {"straight quotes": title.replace("“", '"').replace("”", '"'), "extra": f"{title}综述"}
        line = bullet.replace("1", str(number + 1)) + written.get(spelling, title)
        lines.append(line + leader + page.format(pages[number]) if is_paged else line)
    return lines, [number if is_paged else None for number in pages]


def _body(draw, chosen, sections):
    layout = draw(st.sampled_from(("blank", "indented", "wrapped", "wrapped and blank", "run in")))
    width = draw(st.sampled_from((56, 64, 76)))
    has_page_ends = draw(st.booleans())
    lines: list[str] = []
    for number, (title, paragraphs) in enumerate(chosen):
        if sections[number] and sections[number] not in sections[:number]:
            lines += ["", f"◆{sections[number]}◆"]
        lines += [""] if layout == "run in" else ["", title, *([""] if "blank" in layout else [])]
        for at, paragraph in enumerate(paragraphs):
            if layout == "run in":
                lines += [f"【{title}】{paragraph}" if at == 0 else paragraph, ""]
            elif layout == "blank":
                lines += [paragraph, ""]
            elif layout == "indented":
                lines.append("　　" + paragraph)
            else:
                set_lines = wrapped(paragraph, width, "　　" if layout == "wrapped" else "")
                lines += [*set_lines, *([""] if "blank" in layout else [])]
            if has_page_ends and at == 0 and layout != "run in":
                _end_page(lines, number + 1, layout)
    return lines


def _end_page(lines: list[str], page: int, layout: str) -> None:
    """Cuts the paragraph set last: its rest goes on the next page, under a running head."""
    while not lines[-1]:
        lines.pop()
    furniture = [f"— {page} —", "\f"]
    if layout in {"blank", "indented"}:
        last = lines.pop()
        cut = last.index("，", 12) - 3
        lines += [last[:cut], *furniture, last[cut:], *([""] if layout == "blank" else [])]
    else:
        lines[-1:-1] = furniture
        lines += [""] if "blank" in layout else []
