"""What an unexpected error leaves behind: a page for who met it, a line in the log for who has to mend it."""

import logging


def test_an_unexpected_error_is_logged_with_its_place_and_without_what_it_says(app, visitor, monkeypatch, caplog):
    def break_down() -> None:
        raise KeyError("ann@example.org")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(app.view_functions, "portal.index", break_down)
    with caplog.at_level(logging.ERROR, "mailer.web.failures"):
        page = visitor.get("/")
    assert page.status == 500
    assert "Something went wrong on our side" in page.text
    assert "unexpected KeyError at portal.index: web/test_failures.py:" in caplog.text
    assert "break_down" in caplog.text
    assert "ann@example.org" not in caplog.text
