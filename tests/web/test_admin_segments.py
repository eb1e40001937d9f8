"""Segments as a form, without script: conditions and groups are added, changed and removed by posting."""

from sqlalchemy import select

from mailer.audience.models import Segment
from tests.web.admin_scene import make_list, make_readers


def test_a_segment_is_made_of_two_groups_with_a_count_and_a_sample(signed_in, session):
    weekly = make_list(session)
    make_readers(session, weekly, 3)
    page = signed_in.get("/admin/segments")
    assert "no segments yet" in page.text
    one = {
        "name": "Readers", "joint": "all", "g0-joint": "all", "g0-c0-is": "list", "g0-c0-list_id": str(weekly.id),
        "g0-c0-state": "confirmed",
    }  # fmt: skip
    page = signed_in.submit("/admin/segments/new", one | {"do": "count"})
    assert page.tree.get_element_by_id("segment-count").xpath(".//*[@class='stat']")[0].text == "3"
    assert "reader2@example.org" in page.text
    page = signed_in.submit("/admin/segments/new", one | {"do": "group"})
    assert page.tree.xpath("//*[@name='g1-c0-is']")
    two = one | {
        "g1-joint": "any",
        "g1-not": "y",
        "g1-c0-is": "domain",
        "g1-c0-test": "equals",
        "g1-c0-value": "x.test",
    }
    page = signed_in.submit("/admin/segments/new", two)
    assert page.path == "/admin/segments"
    kept = session.scalars(select(Segment)).one()
    assert kept.tree == {
        "all": [
            {"all": [{"is": "list", "list_id": weekly.id, "state": "confirmed"}]},
            {"not": {"any": [{"is": "domain", "test": "equals", "value": "x.test"}]}},
        ]
    }
    shown = signed_in.get(f"/admin/segments/{kept.id}")
    assert shown.tree.xpath("//input[@name='g1-not']/@checked")
    assert shown.tree.xpath("//input[@name='g1-c0-value']/@value") == ["x.test"]


def test_a_new_segments_form_counts_what_it_shows(signed_in, session):
    make_readers(session, make_list(session), 2)
    page = signed_in.get("/admin/segments/new")
    assert page.tree.get_element_by_id("segment-count").xpath(".//*[@class='stat']")[0].text == "2"


def test_conditions_are_added_and_removed_and_half_ones_are_refused(signed_in, session):
    make_list(session)
    page = signed_in.submit("/admin/segments/new", {"name": "x", "do": "add-0"})
    assert page.tree.xpath("//*[@name='g0-c1-is']")
    page = signed_in.submit("/admin/segments/new", {"name": "x", "g0-c0-is": "signed_up", "do": "refresh"})
    assert page.tree.xpath("//*[@name='g0-c0-value']/@type") == ["date"]
    page = signed_in.submit("/admin/segments/new", {"name": "x", "g0-c0-is": "signed_up", "g0-c0-value": "soon"})
    assert page.status == 422
    assert session.scalars(select(Segment)).all() == []


def test_htmx_gets_the_conditions_and_the_count_alone(signed_in, session):
    make_list(session)
    token = signed_in.get("/admin/segments/new").tree.xpath("//input[@name='csrf_token']/@value")[0]
    data = {"csrf_token": token, "joint": "all", "g0-joint": "all", "g0-c0-is": "locale", "g0-c0-value": "en"}
    part = signed_in.client.post("/admin/segments/conditions", data=data | {"do": "add-0"}, headers=signed_in.headers)
    assert b"g0-c1-is" in part.data
    assert b"<html" not in part.data
    count = signed_in.client.post("/admin/segments/count", data=data, headers=signed_in.headers)
    assert b'<div class="stat">0</div>' in count.data


def test_nonsense_in_the_form_is_no_error(signed_in, session):
    make_list(session)
    for nonsense in ({"g0-c0-is": "sql"}, {"joint": "xor", "do": "add-99"}, {"do": "remove-0"}, {"do": "remove-0-0"}):
        page = signed_in.submit("/admin/segments/new", {"name": "x"} | nonsense)
        assert page.status in {200, 422}


def test_a_segment_is_archived(signed_in, session):
    session.add(Segment(name="old", tree={"all": [{"all": [{"is": "locale", "value": "en"}]}]}))
    session.commit()
    page = signed_in.submit("/admin/segments", action="/admin/segments/1/archive")
    assert "is archived" in page.response.get_data(as_text=True)
    assert "no segments yet" in page.text
