"""The steps of the demo and the sample, taken beside a worker that is as quick as they are."""

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import
from mailer.audience.models import Subscription
from mailer.audience.rules import ImportState
from mailer.db import session_scope
from mailer.embedded import scene
from mailer.embedded.people import make_csv
from mailer.errors import ServiceError

pytestmark = pytest.mark.integration


@pytest.fixture
def list_id(session: Session, redis: str) -> int:
    newsletter = scene.found_newsletter(session, slug="sample", title="Sample", publisher="", lists={"all": "All"})
    session.commit()
    return newsletters.list_lists(session, newsletter_id=newsletter.id)[0].id


def test_an_import_that_a_worker_took_first_is_waited_for(
    session: Session, list_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_look = threading.Event()
    workers: list[threading.Thread] = []

    def work(run_id: int) -> None:
        if first_look.wait(30):
            run_import(run_id)

    def quicker(run_id: int) -> None:
        """Somebody else has it, and begins once we have found it taken."""
        if not workers:
            workers.append(threading.Thread(target=work, args=[run_id]))
            workers[0].start()
        else:
            first_look.set()

    monkeypatch.setattr(scene, "run_import", quicker)
    scene.fill_list(list_id, make_csv(30))
    workers[0].join(timeout=30)
    assert session.scalar(select(func.count()).select_from(Subscription)) == 30


def test_an_import_that_failed_is_an_error_with_its_reason(list_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run_id: int) -> None:
        with session_scope() as own:
            run = own.get_one(ImportRun, run_id)
            run.state, run.error = ImportState.FAILED, "no room"

    monkeypatch.setattr(scene, "run_import", fail)
    with pytest.raises(ServiceError, match="could not be imported: no room"):
        scene.fill_list(list_id, make_csv(3))
