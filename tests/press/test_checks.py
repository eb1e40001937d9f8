from html import escape

import pytest

from mailer.press.abridging import Length
from mailer.press.checks import Finding, Severity, Surroundings, check_edition
from mailer.press.compiling import compile_edition
from mailer.press.content import Content
from mailer.press.contrast_checks import check_contrast
from mailer.press.proofreading import check_content
from mailer.press.subject_checks import issue_numbers
from mailer.press.themes import list_themes
from tests.press.samples import ISSUE_URL, LONG, click_url, make_article, make_content


def findings_of(content: Content, surroundings: Surroundings | None = None) -> tuple[Finding, ...]:
    return check_edition(content, compile_edition(content, click_url=click_url), surroundings)


def sentences(content: Content, locale: str = "zh_CN") -> list[str]:
    return [f"{finding.place_in(locale)}: {finding.message_in(locale)}" for finding in findings_of(content)]


def test_a_sound_edition_has_no_findings() -> None:
    assert findings_of(make_content()) == ()


@pytest.mark.parametrize(
    ("change", "severity", "words"),
    [
        ({"subject": "第7期" + "春灌用水调度" * 10}, Severity.WARNING, "主题: 主题过长"),
        ({"subject": "水利信息摘编"}, Severity.HINT, "主题: 主题没有写明期号"),
        ({"subject": "水利信息摘编 第8期"}, Severity.WARNING, "主题: 主题写的是第 8 期，而本期是第 7 / 131 期"),
        ({"subject": "水利信息摘编 第二十一期"}, Severity.WARNING, "第 二十一 期"),
        ({"subject": "Water Digest No. 8"}, Severity.WARNING, "第 8 期"),
        ({"preheader": "水利信息摘编 2025年第7期：春灌用水调度"}, Severity.HINT, "预览文字与主题相同"),
        ({"articles": (make_article(1, page=5), make_article(2, page=2))}, Severity.WARNING, "标注在第 2 页"),
        ({"articles": (make_article(1, page=5), make_article(2))}, Severity.HINT, "“第2篇：春灌用水调度”没有页码"),
        ({"articles": (make_article(1, body="<p>锟斤拷</p>"),)}, Severity.WARNING, "乱码"),
        (
            {"articles": (make_article(1, body='<p><img src="https://news.example.org/a.png" alt="水位"></p>'),)},
            Severity.WARNING,
            "文章只有图片",
        ),
        ({"articles": (make_article(1, body="<p>甲&amp;nbsp;乙</p>"),)}, Severity.WARNING, "纯文本部分: 读者会看到"),
        ({"articles": (make_article(1, body="<p>甲&lt;br&gt;乙</p>"),)}, Severity.WARNING, "“<br>”"),
        ({"theme_options": {"footer": "<p>{{ oops }}</p>"}}, Severity.WARNING, "版式: “{{ oops }}”会原样出现"),
        ({"subject": "致{{ name }} 第7期"}, Severity.WARNING, "主题: “{{ name }} 第7期”会原样出现"),
        ({"preheader": ""}, Severity.HINT, "预览文字: 没有预览文字"),
        ({"preheader": "水" * 120}, Severity.HINT, "预览文字: 预览文字过长"),
        ({"colophon": "{{ oops }}"}, Severity.WARNING, "刊头: “{{ oops }}"),
        ({"articles": (make_article(1, body=""),)}, Severity.WARNING, "文章“第1篇：春灌用水调度”: 目录中有这篇文章"),
        ({"articles": (make_article(1, body="<p>{{ nmae }}</p>"),)}, Severity.WARNING, "“{{ nmae }}”会原样出现"),
        ({"articles": (make_article(1, title="{{ name }}"),)}, Severity.WARNING, "会原样出现"),
        (
            {"articles": (make_article(1, title="同题"), make_article(2, title="同题"))},
            Severity.WARNING,
            "目录: 有两篇",
        ),
    ],
)
def test_what_a_reader_would_stumble_over_is_found(change: dict[str, object], severity: Severity, words: str) -> None:
    content = make_content(**change)
    (finding,) = findings_of(content)
    assert finding.severity is severity
    assert words in sentences(content)[0]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<a href="https://other.example.com/">https://bank.example.org/</a>', "实际指向 https://other.example.com/"),
        ('<a href="https://other.example.com/">www.bank.example.org</a>', "实际指向"),
        ('<a href="http://intranet/page">内网</a>', "无法打开 http://intranet/page"),
        ('<a href="http://10.1.2.3/">内网</a>', "无法打开"),
        ('<a href="http://192.168.1.1/">内网</a>', "无法打开"),
        ('<a href="https://user:secret@example.org/">链接</a>', "含有用户名"),
        ('<a href="http://[fd00::1]/">内网</a>', "无法打开"),
        ('<a href="https://8.8.8.8/page">数据</a>', "数字地址"),
        ('<a href="https://t.cn/A6abc">全文</a>', "短链接"),
        ('<a href="http://example.org/">公告全文</a>', "未加密"),
        ('<a href="https://example.org/">点击这里</a>', "没有说明去向"),
        ('<a href="https://example.org/">Here »</a>', "没有说明去向"),
        ('<img src="https://news.example.org/a.png" alt="IMG_2041.jpg">', "只是文件名"),
        ('<img src="https://news.example.org/a.png" alt="微信图片 20240930">', "只是文件名"),
        ('<img src="https://news.example.org/a.png">', "没有文字说明"),
        ('<img src="https://other.example.com/a.png" alt="图">', "存放在其他网站"),
    ],
)
def test_a_suspicious_link_or_picture_is_found(html: str, words: str) -> None:
    found = sentences(make_content(articles=(make_article(1, body=f"<p>{LONG}{html}</p>"),)))
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://www.example.org/a/b">example.org</a>',
        '<a href="https://news.example.org/x">https://example.org/</a>',
        '<a href="https://other.example.com/">全文见此</a>',
        '<a href="https://other.example.com/">据 example.org 报道</a>',
        f'<a href="{ISSUE_URL}">本期</a>',
        '<img src="https://news.example.org/a.png" alt="图片展现场">',
    ],
)
def test_an_honest_link_is_left_alone(html: str) -> None:
    assert findings_of(make_content(articles=(make_article(1, body=f"<p>{LONG}{html}</p>"),))) == ()


def test_our_own_site_may_be_http_or_a_number_while_it_is_tried_out() -> None:
    article = make_article(1, url="http://127.0.0.1:8000/n/water/issues/7/articles/1")
    content = make_content(web_url="http://127.0.0.1:8000/n/water/issues/7", articles=(article,))
    assert findings_of(content) == ()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7", {7}), ("06", {6}), ("10—11", {10, 11}), ("九", {9}), ("十", {10}), ("十二", {12}), ("二十一", {21}),
        ("一百零五", {105}), ("二百一十", {210}), ("二〇", {20}), ("增刊", set()),
    ],
)  # fmt: skip
def test_issue_numbers_are_read_in_digits_and_numerals(text: str, numbers: set[int]) -> None:
    assert issue_numbers(text) == numbers


@pytest.mark.parametrize("subject", ["水利信息摘编 第七期", "水利信息摘编 总第131期", "摘编 第07期", "Digest No. 7"])
def test_a_subject_names_its_issue_in_any_writing(subject: str) -> None:
    assert findings_of(make_content(subject=subject)) == ()


def test_a_double_issue_is_named_by_either_number() -> None:
    assert findings_of(make_content(number="10—11", subject="摘编 第10—11期合刊")) == ()


def test_a_section_in_two_places_or_empty_and_an_article_without_one_are_found() -> None:
    def places(*sections: str, empty: int = 0) -> list[str]:
        articles = [make_article(key, section=section) for key, section in enumerate(sections, 1)]
        articles = [make_article(a.key, section=a.section, body="") if a.key == empty else a for a in articles]
        return [finding.message_in("zh_CN") for finding in findings_of(make_content(articles=tuple(articles)))]

    assert places("政策", "政策", "动态") == []
    assert places("政策", "动态", "政策") == ["栏目“政策”出现在两处。请把该栏目的文章排在一起。"]
    assert "栏目“动态”没有内容。请补充或删除。" in places("政策", "动态", empty=2)
    assert places("政策", "") == ["“第2篇：春灌用水调度”没有栏目，看起来会像是属于“政策”。"]
    assert places("", "政策") == []


def test_an_earlier_subject_again_is_found() -> None:
    content = make_content()
    (finding,) = findings_of(content, Surroundings(earlier_subjects={f" {content.subject}", "其他"}))
    assert "主题与往期相同" in finding.message_in("zh_CN")
    assert findings_of(content, Surroundings(earlier_subjects={"其他"})) == ()


def test_readers_without_a_name_count_only_where_a_name_is_used() -> None:
    around = Surroundings(readers=20, lacking={"name": 12})
    named = make_content(articles=(make_article(1, body="<p>尊敬的{{ name }}：</p>"),))
    (finding,) = findings_of(named, around)
    assert finding.severity is Severity.HINT
    assert finding.message_in("zh_CN") == "{{ name }}：20 位读者中有 12 位没有提供该项，他们看到的是“读者”。"
    assert finding.place_in("zh_CN") == "文章“第1篇：春灌用水调度”"
    assert findings_of(make_content(), around) == ()


def test_each_personal_field_is_found_with_those_who_would_read_a_gap() -> None:
    body = "<p>{{ department }}的{{ name|同志 }}，{{ city|本市 }}，{{ department|贵单位 }}：</p>"
    named = make_content(
        attributes=("department", "city"), articles=(make_article(1), make_article(2, body=body)), theme_options={}
    )
    found = findings_of(named, Surroundings(readers=20, lacking={"department": 3, "name": 2, "city": 0}))
    assert [(finding.severity, finding.params["slot"], finding.params["count"]) for finding in found] == [
        (Severity.WARNING, "{{ department }}", 3),
        (Severity.HINT, "{{ name|同志 }}", 2),
        (Severity.HINT, "{{ department|贵单位 }}", 3),
    ]
    assert {finding.params["title"] for finding in found} == {"第2篇：春灌用水调度"}
    assert "看到的是空白" in found[0].message_in("zh_CN")


def test_a_field_in_a_block_of_the_theme_is_found_there() -> None:
    content = make_content(theme_options={"footer": "<p>{{ name }}</p>"})
    (finding,) = findings_of(content, Surroundings(readers=20, lacking={"name": 12}))
    assert finding.place_in("zh_CN") == "版式"


def test_braces_in_an_address_or_in_a_pictures_words_are_found() -> None:
    body = '<p><a href="https://example.com/?to={{ name }}">来信</a>{{ name }}</p>'
    (finding,) = findings_of(make_content(articles=(make_article(1, body=body),)))
    assert finding.severity is Severity.WARNING
    assert "“{{ name }}”写在链接或图片说明里" in finding.message_in("zh_CN")
    picture = '<p>甲<img src="https://news.example.org/a.png" alt="{{ name }}的照片"></p>'
    (finding,) = findings_of(make_content(articles=(make_article(1, body=picture),)))
    assert "“{{ name }}”写在链接或图片说明里" in finding.message_in("zh_CN")


@pytest.mark.parametrize(
    ("style", "is_found"),
    [
        ("color:#999999", True),
        ("color:#777;background:#fff", True),
        ("color:#767676", False),
        ("color:#8a8a8a;font-size:24px", False),
        ("color:#8a8a8a;font-size:20px;font-weight:bold", False),
        ("color:#8a8a8a;font-size:20px", True),
        ("color:#999999;background-color:#111111", False),
        ("background:#c8102e;color:white", False),
        ("background:#333", True),
        ("color:#fff;display:none", False),
    ],
)
def test_words_that_cannot_be_read_on_their_ground_are_found(style: str, is_found: bool) -> None:
    found = check_contrast(f'<html><body><div style="{style}"><p>看得清吗</p><img alt="甲"></div></body></html>')
    assert bool(found) is is_found
    if found:
        assert "看得清吗" in found[0].message_in("zh_CN")


@pytest.mark.parametrize("theme", [theme.name for theme in list_themes()])
def test_every_theme_can_be_read(theme: str) -> None:
    body = '<h3>小标题</h3><p>文字<a href="https://example.com/">链接</a></p><table><tr><th>甲</th></tr></table>'
    content = make_content(theme=theme, articles=(make_article(1, section="要闻", source="某处", body=body),))
    assert check_contrast(compile_edition(content).html) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"subject": "第7期 内部资料"}, "主题"),
        ({"preheader": "内部 资料"}, "预览文字"),
        ({"colophon": "内部资料 注意保存"}, "刊头"),
        ({"theme_options": {"footer": "<p>内部资料</p>"}}, "版式"),
        (
            {"articles": (make_article(1, body="<p>此为内<strong>部</strong>资\u200b料。</p>"),)},
            "文章“第1篇：春灌用水调度”",
        ),
        (
            {
                "articles": (
                    make_article(1, body="<p>台<br>风<b>内<br/>部</b>资<a href='https://example.org/'>料</a></p>"),
                )
            },
            "文章“第1篇：春灌用水调度”",
        ),
        ({"articles": (make_article(1, title="内部資料", body="<p>ＴＯＰ secret</p>"),)}, "文章“内部資料”"),
    ],
)
def test_a_sensitive_word_is_found_wherever_and_however_it_stands(change: dict[str, object], place: str) -> None:
    (finding,) = findings_of(make_content(**change), Surroundings(sensitive_words=["内部资料", "top", " "]))
    assert finding.severity is Severity.WARNING
    assert finding.place_in("zh_CN") == place
    assert "在敏感词表中" in finding.message_in("zh_CN")


def test_a_latin_word_is_sensitive_only_as_a_whole_and_chinese_only_within_a_paragraph() -> None:
    content = make_content(articles=(make_article(1, body="<p>stop 内部</p><p>资料</p>"),))
    assert findings_of(content, Surroundings(sensitive_words=["内部资料", "top"])) == ()


def test_an_edition_cut_to_abstracts_says_which() -> None:
    articles = (make_article(1, title="长文", body=f"<p>{LONG * 4}</p>" * 260), make_article(2))
    (finding,) = findings_of(make_content(articles=articles))
    assert finding.severity is Severity.HINT
    assert finding.params["titles"] == "长文"


def test_articles_cut_to_briefs_and_to_the_contents_are_warnings() -> None:
    articles = tuple(make_article(key, title=f"篇{key}", body=f"<p>{LONG * 4}</p>" * 9) for key in range(60))
    rows = "<tr><td>一</td><td>二</td></tr>" * 1500
    (finding,) = findings_of(make_content(articles=(make_article(1, title="表", body=f"<table>{rows}</table>"),)))
    assert finding.severity is Severity.WARNING
    assert "只发送开头几句" in finding.message_in("zh_CN")
    assert finding.params["titles"] == "表"
    for options in ({}, {"articles": "abstract"}):
        findings = findings_of(make_content(articles=articles, theme_options=options))
        listed = next(finding for finding in findings if "只列入目录" in finding.message_in("zh_CN"))
        assert listed.severity is Severity.WARNING
        assert "篇59" in str(listed.params["titles"])
        assert not any("只保留摘要" in finding.message_in("zh_CN") for finding in findings)


def test_an_edition_too_large_even_so_is_a_warning() -> None:
    articles = (make_article(1, body=f"<p>{LONG * 40}</p>"), *(make_article(key) for key in range(2, 300)))
    finding, _ = findings_of(make_content(articles=articles))
    assert finding.severity is Severity.WARNING
    assert finding.place_in("en") == "Size"
    assert int(finding.params["size"]) > 100
    assert "最长的文章：第1篇：春灌用水调度 (" in finding.message_in("zh_CN")


def test_abstracts_that_were_asked_for_are_no_finding() -> None:
    articles = (make_article(1, body=f"<p>{LONG * 4}</p>" * 260), make_article(2))
    content = make_content(articles=articles, theme_options={"articles": "abstract"})
    assert compile_edition(content).shortened == {1: Length.ABSTRACT}
    assert findings_of(content) == ()


def test_findings_come_gravest_first_and_once() -> None:
    html = '<a href="http://intranet/">甲</a>' * 3
    findings = findings_of(make_content(preheader="", articles=(make_article(1, body=html),)))
    assert [finding.severity for finding in findings] == [Severity.WARNING, Severity.HINT]


def test_errors_are_found_without_compiling() -> None:
    findings = check_content(make_content(title="", articles=()))
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.ERROR]


def test_findings_speak_both_languages() -> None:
    content = make_content(articles=(make_article(1, title="甲", body=f"<p>{escape(LONG)}{{{{ x }}}}</p>"),))
    assert sentences(content, "en") == [
        (
            "Article “甲”: “{{ x }}” would reach readers as typed. What works is {{ name }} {{ address }}, "
            "with at most 80 plain characters after a bar for readers who have not told it."
        )
    ]
