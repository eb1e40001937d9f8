from html import escape

import pytest

from mailer.press.checks import Finding, Severity, check_edition
from mailer.press.compiling import compile_edition
from mailer.press.content import Content
from mailer.press.proofreading import check_content
from tests.press.samples import ISSUE_URL, LONG, click_url, make_article, make_content


def findings_of(content: Content) -> tuple[Finding, ...]:
    return check_edition(content, compile_edition(content, click_url=click_url))


def sentences(content: Content, locale: str = "zh_CN") -> list[str]:
    return [f"{finding.place_in(locale)}: {finding.message_in(locale)}" for finding in findings_of(content)]


def test_a_sound_edition_has_no_findings() -> None:
    assert findings_of(make_content()) == ()


@pytest.mark.parametrize(
    ("change", "severity", "words"),
    [
        ({"subject": "第7期" + "春灌用水调度" * 10}, Severity.WARNING, "主题: 主题过长"),
        ({"subject": "水利信息摘编"}, Severity.HINT, "主题: 主题没有写明期号"),
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
    ],
)
def test_an_honest_link_is_left_alone(html: str) -> None:
    assert findings_of(make_content(articles=(make_article(1, body=f"<p>{LONG}{html}</p>"),))) == ()


def test_an_edition_cut_to_abstracts_says_which() -> None:
    articles = (make_article(1, title="长文", body=f"<p>{LONG * 4}</p>" * 260), make_article(2))
    (finding,) = findings_of(make_content(articles=articles))
    assert finding.severity is Severity.HINT
    assert finding.params["titles"] == "长文"


def test_an_edition_too_large_even_so_is_a_warning() -> None:
    rows = "<tr><td>一</td><td>二</td></tr>" * 1500
    (finding,) = findings_of(make_content(articles=(make_article(1, body=f"<table>{rows}</table>"),)))
    assert finding.severity is Severity.WARNING
    assert finding.place_in("en") == "Size"
    assert int(finding.params["size"]) > 100


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
        "Article “甲”: “{{ x }}” would reach readers as typed: only {{ name }} and {{ address }} in an article work."
    ]
