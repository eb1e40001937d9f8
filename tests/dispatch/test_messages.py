"""Message-IDs: decided before sending, and read back from whatever comes back."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.messages import identity_of, message_id, read_message_id
from mailer.newsletters.models import List, Newsletter


@given(st.integers(0, 2**63 - 1))
def test_a_message_id_is_the_deliverys_number_in_base32(delivery_id: int) -> None:
    number = delivery_id.to_bytes((delivery_id.bit_length() + 7) // 8 or 1, "big")
    written = base64.b32encode(number).decode().rstrip("=").lower()
    assert message_id(delivery_id, "key", "example.org") == f"<{written}.key@example.org>"


@given(st.integers(0, 2**63 - 1))
def test_a_message_id_names_its_delivery(delivery_id: int) -> None:
    assert read_message_id(message_id(delivery_id, "key", "example.org")) == (delivery_id, "key")


@pytest.mark.parametrize("value", ["", "<@example.org>", "<key@example.org>", "<.key@example.org>", "<ae.key>"])
def test_another_systems_message_id_is_not_taken_for_ours(value: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_message_id(value)


@pytest.mark.parametrize(
    ("owner", "reply_to", "named"),
    [
        ("li@example.org", "answers@example.org", "li@example.org"),
        ("", "answers@example.org", "answers@example.org"),
        ("", None, "tech@example.org"),
    ],
)
def test_who_answers_for_a_list_is_its_owner_and_else_who_reads_the_answers(
    owner: str, reply_to: str | None, named: str
) -> None:
    newsletter = Newsletter(
        slug="tech", title="科技参考", sender_name="编辑部", sender_address="tech@example.org", reply_to=reply_to
    )
    chosen = List(slug="weekly", name="周报", owner=owner, newsletter=newsletter)
    identity = identity_of(newsletter, chosen, mailing_id=7)
    assert identity.owner_address == named
    assert (identity.list_id, identity.list_name) == ("weekly.tech.example.org", "周报")
