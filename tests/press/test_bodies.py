from mailer.press.abridging import Length
from mailer.press.bodies import Body
from mailer.press.linking import LinkRegister
from mailer.press.plaintext import width
from mailer.press.slots import NAME, fill_html, fill_text, slot


def make_body(html: str, language: str = "zh_CN") -> Body:
    return Body(html, language=language, own_host="news.example.org")


def as_html(html: str, *, length: Length = Length.WHOLE, heading: str = "h3") -> tuple[str, LinkRegister]:
    links = LinkRegister()
    return make_body(html).as_html(links, 5, length=length, heading=heading), links


def as_text(html: str, language: str = "zh_CN", *, length: Length = Length.WHOLE) -> tuple[str, list[str]]:
    notes: list[str] = []
    return make_body(html, language).as_text(notes, length=length), notes


def test_links_to_the_web_become_tokens_and_mailboxes_stay() -> None:
    html, links = as_html(
        '<p><a href="https://example.org/?a=1&amp;b=2">政策 <b>全文</b></a><a href="mailto:x@example.org">信</a></p>'
    )
    assert (
        html == '<p><a href="~mailer.link.1~">政策 <strong>全文</strong></a><a href="mailto:x@example.org">信</a></p>'
    )
    assert [(link.ordinal, link.url, link.article_key, link.label) for link in links.links] == [
        (1, "https://example.org/?a=1&b=2", 5, "政策 全文")
    ]


def test_a_link_round_a_picture_is_named_by_its_address() -> None:
    _, links = as_html('<a href="https://example.org/"><img src="https://news.example.org/a.png" alt="图"></a>')
    assert links.links[0].label == "https://example.org/"


def test_a_picture_is_fitted_to_the_page_and_keeps_no_empty_box() -> None:
    html, _ = as_html('<img src="https://news.example.org/a.png" width="1200" height="500">')
    assert html == '<p class="picture"><img src="https://news.example.org/a.png" width="576" alt=""></p>'
    html, _ = as_html('<img src="https://news.example.org/a.png" width="120" alt="图">')
    assert 'width="120"' in html


def test_a_picture_of_another_host_becomes_a_link() -> None:
    typed = '<p>前<img src="https://other.example.com/a.png" alt="外图">后</p>'
    html, links = as_html(typed)
    assert html == '<p>前<a href="~mailer.link.1~">[外图]</a>后</p>'
    assert links.links[0].url == "https://other.example.com/a.png"
    assert make_body(typed).foreign_pictures == ("https://other.example.com/a.png",)
    html, links = as_html('<a href="https://example.org/"><img src="https://other.example.com/a.png"></a>')
    assert html == '<p class="picture"><a href="~mailer.link.1~">[图片]</a></p>'


def test_a_table_too_wide_for_a_phone_scrolls_in_a_box_that_takes_the_focus() -> None:
    def row(count: int) -> str:
        return "<tr>" + "<td>1</td>" * count + "</tr>"

    html, _ = as_html(f"<p>前</p><table>{row(5)}</table>后<table>{row(4)}</table>")
    assert html.startswith('<p>前</p><div class="scroll" tabindex="0"><table class="data wide" cellspacing="0">')
    assert '</table></div><p>后</p><div class="scroll"><table class="data" cellspacing="0">' in html
    spanned, _ = as_html(f'<table><tr><th colspan="5">甲</th></tr>{row(5)}</table>')
    assert "data wide" in spanned


def test_a_long_address_in_chinese_text_may_be_broken_anywhere() -> None:
    run = "https://example.org/?a=1&amp;b=" + "x" * 30
    html, _ = as_html(f"<p>详见{run}，{{{{ name }}}}</p>")
    assert html == f'<p>详见<span class="run">{run}</span>，{slot(NAME)}</p>'
    english = make_body(f"<p>{run}</p>", "en").as_html(LinkRegister(), 1)
    assert english == f"<p>{run}</p>"


def test_headings_step_down_below_a_section() -> None:
    assert as_html("<h2>甲</h2>")[0] == "<h3>甲</h3>"
    assert as_html("<h2>甲</h2>", heading="h4")[0] == "<h4>甲</h4>"


def test_loose_text_becomes_paragraphs() -> None:
    html, _ = as_html("甲<b>乙</b><p>丙</p>丁<ul><li>戊</li></ul>")
    assert html == "<p>甲<strong>乙</strong></p><p>丙</p><p>丁</p><ul><li>戊</li></ul>"


def test_a_named_slot_is_placed_and_nothing_else_is_evaluated() -> None:
    html, _ = as_html("<p>{{ name }}：{{ 7*7 }} {% for x in y %} {{ config }}</p>")
    assert html == f"<p>{slot(NAME)}：{{{{ 7*7 }}}} {{% for x in y %}} {{{{ config }}}}</p>"


def test_a_slot_in_an_attribute_stays_as_typed() -> None:
    html, _ = as_html('<img src="https://news.example.org/a.png" alt="{{ name }}">')
    assert 'alt="{{ name }}"' in html


def test_a_body_may_be_drawn_many_times() -> None:
    body = make_body('<p><a href="https://example.org/">甲</a>{{ name }}</p>')
    drawn = [body.as_html(LinkRegister(), 1, length=Length.WHOLE) for _ in range(3)]
    assert drawn[0] == drawn[1] == drawn[2]


def test_an_abstract_is_the_first_whole_paragraphs() -> None:
    paragraph = "<p>" + "堤防加固工程按期完工。" * 12 + "</p>"
    html, _ = as_html(paragraph * 10, length=Length.ABSTRACT)
    assert html == paragraph * 2


def test_an_article_of_one_paragraph_is_cut_after_a_sentence() -> None:
    html, _ = as_html("<p>" + "堤防<b>加固</b>工程按期完工。" * 200 + "</p>", length=Length.ABSTRACT)
    assert html.endswith("按期完工。……</p>")
    assert 300 < width(html) < 460
    english, _ = as_html("<p>" + "The dyke is finished in time. " * 200 + "</p>", length=Length.ABSTRACT)
    assert english.endswith("in time.……</p>")
    endless, _ = as_html("<p>" + "水" * 3000 + "</p>", length=Length.ABSTRACT)
    assert width(endless) < 460


def test_a_brief_is_the_first_sentences_and_no_table_or_picture() -> None:
    sentence = "堤防加固工程按期完工。"
    picture = '<p><img src="https://news.example.org/a.png" alt="图"></p>'
    table = "<table><tr><td>甲</td></tr></table>"
    html, _ = as_html(f"<p><em>王小明</em></p>{picture}{table}<p>{sentence * 30}</p><p>又</p>", length=Length.BRIEF)
    assert html == f'<p class="byline"><em>王小明</em></p><p>{sentence * 6}……</p>'
    assert make_body(table).is_longer_than(Length.BRIEF)
    assert not make_body(table).is_longer_than(Length.ABSTRACT)
    assert not make_body(f"<p>{sentence}</p>").is_longer_than(Length.BRIEF)


def test_deep_nesting_is_flattened_and_its_text_kept() -> None:
    for opening in ("<blockquote>", "<ul><li>", "<table><tr><td>"):
        typed = f"顶{opening * 5000}底"
        assert as_html(typed)[0].endswith("底</p>")
        assert as_text(typed)[0].endswith("底")
    shallow = "<blockquote>" * 5 + "<p>底</p>" + "</blockquote>" * 5
    assert as_html(shallow)[0] == shallow


def test_text_has_paragraphs_lists_and_tables() -> None:
    text, _ = as_text(
        "<p>第一段<br>换行</p><h3>小标题</h3><ul><li>甲</li><li>乙<ul><li>丙</li></ul></li></ul>"
        "<ol start=3><li>丁</li></ol>"
        "<table><caption>表1</caption><tr><th>名</th><th>值</th></tr><tr><td><p>水</p><p>位</p></td><td>3</td></tr></table>"
        "<blockquote><p>引文</p></blockquote><hr><p><img src='https://news.example.org/a.png' alt='图一'></p>"
    )
    assert text.split("\n\n") == [
        "　　第一段\n换行",
        "■ 小标题",
        "- 甲\n- 乙\n  - 丙",
        "3. 丁",
        "表1\n名    | 值\n水 位 |  3",
        "  引文",
        "* * *",
        "　　[图一]",
    ]


def test_text_keeps_what_a_list_a_stroke_and_a_raised_figure_say() -> None:
    text, _ = as_text(
        "<ol start=9><li><p>甲</p><p>又</p></li><li>乙<ul><li>丙</li></ul></li></ol>"
        "<p>25 km<sup>2</sup>，CO<sub>2</sub>，10<sup>-6</sup>，见注<sup>[1]</sup>与<sup>①</sup>，1<sup>st</sup>，"
        "<s>原定15%</s>现为18%</p>"
    )
    assert text.split("\n\n") == [
        " 9. 甲\n    又\n10. 乙\n    - 丙",
        "　　25 km²，CO₂，10⁻⁶，见注[1]与①，1st，〔划去：原定15%〕现为18%",
    ]
    assert as_text("<p><s>old</s> <a href='https://example.org/'>new</a></p>", "en")[0] == (
        "[struck out: old] new (link 1)"
    )


def test_a_table_too_wide_for_a_line_of_text_is_wrapped() -> None:
    rows = f"<table><tr><td>甲</td><td>乙</td></tr><tr><td>{'水' * 30}</td><td>{'文' * 30}</td></tr></table>"
    assert as_text(rows)[0].split("\n")[0] == "甲 | 乙"


def test_english_paragraphs_are_not_indented() -> None:
    assert as_text("<p>One two.</p>", "en")[0] == "One two."


def test_hidden_addresses_become_notes_and_shown_ones_do_not() -> None:
    text, notes = as_text(
        '<p><a href="https://example.org/a">甲</a>、<a href="https://example.org/b">https://example.org/b</a>、'
        '<a href="mailto:x@example.org">x@example.org</a>、<a href="https://example.org/c">丙</a></p>'
    )
    assert text == "　　甲（链接1）、https://example.org/b、x@example.org、丙（链接2）"
    assert notes == ["https://example.org/a", "https://example.org/c"]


def test_an_empty_body_is_known_as_such() -> None:
    assert make_body("<p>&nbsp;</p>").is_empty
    assert not make_body("<img src='https://news.example.org/a.png'>").is_empty
    assert make_body("<img src='https://news.example.org/a.png'>").pictures_without_words == 1


def test_personal_fields_stand_in_every_form_of_a_body() -> None:
    html = '<p>{{ department|贵单位 }}：<a href="https://example.com/">{{ name|朋友 }}的页面</a></p>'
    body = Body(html, language="zh_CN", own_host="news.example.org", attributes=("department",))
    links = LinkRegister()
    assert fill_html(body.as_html(links, 1), {}).startswith("<p>贵单位：")
    # A link is called in the figures as a reader without anything of their own sees it.
    assert links.links[0].label == "朋友的页面"
    assert fill_text(body.as_text([]), {}).strip().startswith("贵单位：朋友的页面")
    (paragraph,) = body.as_blocks({}, {})
    assert paragraph["inside"][0] == {"kind": "text", "text": "贵单位："}
    # Without the newsletter's fields it is what was typed.
    plain = Body(html, language="zh_CN", own_host="news.example.org")
    assert "{{ department|贵单位 }}" in plain.as_html(LinkRegister(), 1)


def test_a_field_makes_no_body_seem_shorter_than_its_abstract() -> None:
    paragraphs = "".join(f"<p>{'水' * 150}</p>" for _ in range(4))
    body = Body(f"<p>{{{{ name|{'朋' * 60} }}}}</p>{paragraphs}", language="zh_CN", own_host="news.example.org")
    assert body.is_longer_than(Length.ABSTRACT)
