"""Message-IDs: decided before sending, and read back from whatever comes back."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.messages import message_id, read_message_id


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
