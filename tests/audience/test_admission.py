"""How many sign-ups are let in: calm, under pressure, with and without a proof, with and without Redis."""

import base64
import json

import altcha
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.audience import admission, proofs
from mailer.audience.door_models import Admission, SpentProof
from mailer.audience.entrance import Knock, TooQuickError, enter
from mailer.audience.models import Subscriber
from mailer.audience.rules import Verdict
from mailer.errors import RuleError
from mailer.letters.models import Letter
from mailer.newsletters.models import List
from tests.conftest import forget_settings


@pytest.fixture(params=["redis", "rows"])
def counted(request: pytest.FixtureRequest, database: str) -> str:
    """Counted in Redis, or, with nothing listening where Redis should be, in the database."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    else:
        forget_settings()
    return str(request.param)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch, counted: str) -> None:
    """Few places everywhere."""
    for name, places in {
        "IP": 3, "NETWORK": 5, "HOUR": 8,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"MAILER_SIGN_UPS_PER_{name}", str(places))
    monkeypatch.setenv("MAILER_SIGN_UPS_WITHOUT_PROOF", "2")
    monkeypatch.setenv("MAILER_SIGN_UPS_WITH_PROOF", "3")
    if counted == "rows":
        # Whatever another test left in the settings: nothing listens at this port.
        monkeypatch.setenv("MAILER_REDIS_URL", "redis://127.0.0.1:1/0")
    forget_settings()
    yield
    monkeypatch.undo()
    forget_settings()


def admit(session: Session, ip: str | None, *, has_proof: bool = False) -> str:
    verdict = admission.admit(session, ip, has_proof=has_proof)
    session.commit()
    return str(verdict)


def far(number: int) -> str:
    """An address in a network of its own."""
    return f"10.{number // 250}.{number % 250}.1"


@pytest.mark.usefixtures("narrow")
class TestPlaces:
    def test_one_address_has_a_few(self, session: Session) -> None:
        assert [admit(session, "192.0.2.1") for _ in range(4)] == ["let_in"] * 3 + ["later"]
        assert admit(session, "192.0.2.2") == "let_in"

    def test_one_network_has_some_more(self, session: Session) -> None:
        found = [admit(session, f"192.0.2.{number}") for number in range(6)]
        assert found == ["let_in"] * 5 + ["later"]
        assert admit(session, "198.51.100.1") == "let_in"

    def test_an_ipv6_network_is_a_site(self, session: Session) -> None:
        found = [admit(session, f"2001:db8:7:{number:x}::1") for number in range(6)]
        assert found == ["let_in"] * 5 + ["later"]
        assert admit(session, "2001:db8:8::1") == "let_in"

    def test_under_pressure_a_proof_is_asked_for_and_without_there_are_few(self, session: Session) -> None:
        assert not admission.is_pressed(session)
        calm = [admit(session, far(number)) for number in range(8)]
        assert admission.is_pressed(session)
        # One for each network, two in all.
        assert [admit(session, "203.0.113.1"), admit(session, "203.0.113.2")] == ["let_in", "prove"]
        pressed = [admit(session, far(number)) for number in range(100, 104)]
        assert (calm, pressed) == (["let_in"] * 8, ["let_in", "prove", "prove", "prove"])
        proven = [admit(session, far(number), has_proof=True) for number in range(200, 204)]
        assert proven == ["let_in"] * 3 + ["later"]

    def test_what_was_let_in_is_kept_for_a_day(self, session: Session) -> None:
        admit(session, "192.0.2.1")
        admit(session, None, has_proof=True)
        rows = session.execute(select(Admission.ip, Admission.network, Admission.has_proof)).all()
        assert [tuple(row) for row in rows] == [("192.0.2.1", "192.0.2.0/24", False), (None, None, True)]
        assert admission.forget(session) == 0
        session.execute(Admission.__table__.update().values(created_at=func.now() - func.make_interval(0, 0, 0, 2)))
        assert admission.forget(session) == 2


def test_an_address_of_ipv4_written_as_ipv6_is_that_address() -> None:
    assert admission.network_of("::ffff:192.0.2.7") == "192.0.2.0/24"
    assert admission.network_of("2001:db8:1:2::3") == "2001:db8:1::/48"


class TestProofs:
    def solve(self, session: Session, **options: object) -> str:
        held = proofs.make_challenge(session, cost=10, guesses=(3, 9), **options)  # type: ignore[arg-type]
        challenge = altcha.Challenge.from_dict(held)
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        return altcha.Payload(challenge, solution).to_base64()

    def test_one_proof_buys_one_sign_up(self, session: Session) -> None:
        payload = self.solve(session)
        assert proofs.spend(session, payload)
        session.commit()
        assert not proofs.spend(session, payload)
        # The same challenge in another spelling is the same.
        again = base64.b64encode(json.dumps(json.loads(base64.b64decode(payload)), indent=3).encode()).decode()
        assert not proofs.spend(session, again)

    def test_a_proof_that_was_not_committed_can_be_used_again(self, session: Session) -> None:
        payload = self.solve(session)
        assert proofs.spend(session, payload)
        session.rollback()
        assert proofs.spend(session, payload)

    def test_what_proves_nothing(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        held = json.loads(base64.b64decode(self.solve(session)))
        easier = json.loads(json.dumps(held))
        easier["challenge"]["parameters"]["keyPrefix"] = ""
        wrong = json.loads(json.dumps(held))
        wrong["solution"]["counter"] += 1
        wrong["solution"]["derivedKey"] = "00" * 32
        for bad in (
            None,
            "",
            "x",
            "[]",
            "x" * 5000,
            *(base64.b64encode(json.dumps(each).encode()).decode() for each in (easier, wrong, {}, [])),
        ):
            assert not proofs.spend(session, bad), bad
        monkeypatch.setattr(proofs, "LIFETIME", -proofs.LIFETIME)
        assert not proofs.spend(session, self.solve(session))
        assert session.scalars(select(SpentProof)).all() == []


@pytest.mark.usefixtures("redis")
class TestEntrance:
    def knock(self, double: List, **values: object) -> Knock:
        known: dict[str, object] = {
            "email": "ann@example.org", "list_ids": [double.id], "locale": "en", "wording": "Yes", "ip": "192.0.2.1",
        }  # fmt: skip
        return Knock(**(known | values))  # type: ignore[arg-type]

    def test_a_robot_that_gave_itself_away_is_answered_like_a_person_and_gets_nothing(
        self, session: Session, double: List
    ) -> None:
        assert enter(session, self.knock(double, trap="x")) is Verdict.LET_IN
        session.commit()
        assert session.scalars(select(Subscriber)).all() == []
        with pytest.raises(TooQuickError):
            enter(session, self.knock(double, seconds=0.5))

    def test_throw_away_addresses_are_refused_where_a_list_of_them_is_kept(
        self, session: Session, double: List, tmp_path: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "domains.txt"  # type: ignore[operator]
        path.write_text("# throw-away\nthrowaway.example\n")
        monkeypatch.setenv("MAILER_DISPOSABLE_DOMAINS_FILE", str(path))
        forget_settings()
        for bad in ("a@throwaway.example", "a@mx.throwaway.example"):
            with pytest.raises(RuleError, match="throw-away"):
                enter(session, self.knock(double, email=bad))
        assert enter(session, self.knock(double, email="a@notthrowaway.example")) is Verdict.LET_IN
        path.unlink()
        assert enter(session, self.knock(double, email="a@throwaway.example")) is Verdict.LET_IN
        monkeypatch.undo()
        forget_settings()

    def test_the_verdict_does_not_depend_on_the_address(
        self, session: Session, double: List, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAILER_SIGN_UPS_PER_IP", "3")
        forget_settings()
        for email in ("ann@example.org", "ann@example.org", "bob@example.org"):
            assert enter(session, self.knock(double, email=email)) is Verdict.LET_IN
            session.commit()
        for email in ("ann@example.org", "carl@example.org"):
            assert enter(session, self.knock(double, email=email)) is Verdict.LATER
            session.rollback()
        monkeypatch.undo()
        forget_settings()

    # Ten thousand of anything take long where others compute as well.
    @pytest.mark.timeout(600)
    def test_ten_thousand_hostile_sign_ups_send_fewer_than_a_hundred_letters(
        self, session: Session, double: List
    ) -> None:
        """Each from another address of another network, to another mailbox, every hundredth with a made-up proof."""
        found: dict[Verdict, int] = {}
        for number in range(10_000):
            verdict = enter(
                session,
                self.knock(
                    double,
                    email=f"victim{number}@example.org",
                    ip=f"10.{number // 256}.{number % 256}.9",
                    seconds=30.0,
                    proof="bm90aGluZw==" if number % 100 == 0 else None,
                ),
            )
            found[verdict] = found.get(verdict, 0) + 1
            if verdict is Verdict.LET_IN:
                session.commit()
            else:
                session.rollback()
        letters = session.scalar(select(func.count()).select_from(Letter))
        assert letters == found[Verdict.LET_IN] == 60
        assert sum(found.values()) == 10_000
