"""From a sent issue to its correction, at the desk."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.dispatch.models import Mailing
from tests.newsroom.test_correcting import Bulletin
from tests.web.conftest import Visitor


@pytest.fixture
def editor(app: Flask, make_account: Callable[..., Account]) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


def test_a_sent_issue_is_corrected_and_mailed_to_those_who_had_it(session: Session, editor: Visitor) -> None:
    bulletin = Bulletin(session)
    address = f"/desk/issues/{bulletin.issue.id}"
    assert "Correct this issue" not in editor.get(address).text
    bulletin.settle(bulletin.send(bulletin.wrong), dict.fromkeys(bulletin.readers[:3], "accepted"))
    page = editor.submit(address, {"note": "数字有误。"}, action=f"{address}/correct")
    assert "is a draft again" in page.text
    assert "更正：" in editor.get(f"{address}/preview").text
    form = editor.get(f"{address}/edit")
    assert form.tree.xpath("//textarea[@name='correction']/text()")[0].strip() == "数字有误。"
    session.expire_all()
    bulletin.approve()
    page = editor.get(f"{address}/send")
    assert page.tree.xpath("//input[@name='is_correction']/@checked")
    page = editor.submit(f"{address}/send")
    assert "A correction: only those get it" in page.text
    confirm = next(form for form in page.tree.forms if form.xpath(".//button[@name='confirm']"))
    data = dict(confirm.form_values()) | {"confirm": "1"}
    editor.client.post(f"{address}/send", data=data, headers=editor.headers)
    mailing = session.scalars(select(Mailing).order_by(Mailing.id.desc()).limit(1)).one()
    assert mailing.is_correction
