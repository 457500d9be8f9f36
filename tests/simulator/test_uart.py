"""Characters on a line whose two ends disagree about the rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.uart import garbled

RATES = (1200, 9600, 19_200, 38_400, 57_600, 115_200)


@given(st.binary(max_size=40), st.sampled_from(RATES))
def test_at_the_same_rate_everything_arrives(data: bytes, rate: int) -> None:
    assert garbled(data, rate, rate) == data


@given(st.binary(min_size=1, max_size=40), st.sampled_from([(102, 100), (98, 100)]))
def test_two_percent_off_a_uart_still_hears(data: bytes, rates: tuple[int, int]) -> None:
    assert garbled(data, *rates) == data


@pytest.mark.parametrize("heard", [rate for rate in RATES if rate != 9600])
def test_a_report_at_another_rate_is_no_report(heard: int) -> None:
    assert b"V+050.0" not in garbled(b"V+050.0\r\n" * 20, 9600, heard)


@given(st.binary(max_size=40), st.sampled_from(RATES), st.sampled_from(RATES))
def test_who_listens_faster_hears_at_most_so_much_more(data: bytes, sent: int, heard: int) -> None:
    heard_bytes = garbled(data, sent, heard)
    assert len(heard_bytes) <= max(len(data) * 10 * heard / sent, 5 * len(data))
    assert bool(heard_bytes) == bool(data)


def test_the_classic_a_slow_listener_takes_several_characters_for_one() -> None:
    assert len(garbled(bytes(12), 115_200, 9600)) == 1


def test_a_zero_at_half_the_rate_by_hand() -> None:
    # 00 is nine bits low and one high; heard twice as fast, 18 low and two high: a broken 00, then silence.
    assert garbled(b"\x00", 9600, 19_200) == b"\x00"
    # FF is one low bit; heard twice as fast it is two: a start bit and a lowest bit of 0.
    assert garbled(b"\xff", 9600, 19_200) == b"\xfe"
