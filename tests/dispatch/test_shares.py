from mailer.dispatch.relays.shares import STILL_SECONDS, Shares


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_whoever_is_ahead_of_its_share_waits_for_the_others() -> None:
    shares = Shares({"a": 3, "b": 1}, now=Clock())
    shares.took("a", 30)
    assert not shares.may_take("a")
    shares.took("b", 10)
    assert shares.may_take("a")
    assert shares.may_take("b")
    shares.took("b", 1)
    assert not shares.may_take("b")


def test_nobody_waits_for_one_that_stands_still_and_it_makes_up_for_nothing() -> None:
    clock = Clock()
    shares = Shares({"a": 1, "b": 1}, now=clock)
    shares.took("a", 10)
    assert not shares.may_take("a")
    clock.now += STILL_SECONDS + 1
    assert shares.may_take("a")
    shares.took("a", 1000)
    assert shares.may_take("b")
    shares.took("b", 1)
    assert not shares.may_take("b")


def test_nobody_waits_for_one_with_a_rate_of_its_own_nor_for_one_that_has_left() -> None:
    paced = Shares({"a": 1, "b": 1}, frozenset({"b"}), now=Clock())
    paced.took("a", 100)
    assert paced.may_take("a")
    left = Shares({"a": 1, "b": 1}, now=Clock())
    left.took("a", 100)
    left.leave("b")
    assert left.may_take("a")
    left.leave("a")
    assert left.is_empty
