"""The station's reading of time replies, against any packet and against any way and server."""

import struct

from hypothesis import example, given
from hypothesis import strategies as st
from lib.errors import LinkError
from lib.sntp import read

TOKENS = st.binary(min_size=8, max_size=8)
TICKS = st.integers(0, 2**40)
EPOCH_S = 2_208_988_800


@given(packet=st.binary(max_size=80), token=TOKENS, sent=TICKS, took=st.integers(0, 4000))
@example(packet=bytes(48), token=bytes(8), sent=0, took=0)
def test_anything_is_read_or_refused_and_never_believed_without_the_token(
    packet: bytes, token: bytes, sent: int, took: int
) -> None:
    try:
        utc, uncertainty_ms = read(packet, token, sent, sent + took)
    except LinkError as error:
        assert error.code in ("foreign", "protocol", "refused")
    else:
        assert packet[24:32] == token
        assert packet[0] & 7 == 4 and packet[0] >> 6 != 3 and 1 <= packet[1] <= 15
        assert 0 < uncertainty_ms < 10_000
        assert -(2**31) * 1000 < utc < 2**33 * 1000


@given(
    head=st.binary(min_size=24, max_size=24),
    tail=st.binary(min_size=16, max_size=40),
    token=TOKENS,
    told=TOKENS,
)
def test_a_reply_to_another_question_is_foreign(
    head: bytes, tail: bytes, token: bytes, told: bytes
) -> None:
    try:
        read(head + told + tail, token, 0, 1000)
    except LinkError as error:
        assert (error.code == "foreign") == (told != token)
    else:
        assert told == token


@given(
    utc=st.integers(946_684_800_000, 4_100_000_000_000),
    there=st.integers(0, 1500),
    inside=st.integers(0, 500),
    back=st.integers(0, 1500),
    delay=st.integers(0, 0x8000),
    spread=st.integers(0, 0x8000),
    off=st.floats(-1, 1),
    token=TOKENS,
)
def test_an_honest_server_is_believed_and_the_truth_is_within_the_uncertainty(
    utc: int, there: int, inside: int, back: int, delay: int, spread: int, off: float, token: bytes
) -> None:
    """`off`: the server's own error, within the distance to its root that it admits."""
    error_ms = int(off * (delay // 2 + spread) * 1000 / 65536)
    left = utc + there + inside
    came_stamp, left_stamp = (
        ((ms // 1000 + EPOCH_S) % 2**32) << 32 | ((ms % 1000 << 32) + 999) // 1000
        for ms in (utc + there + error_ms, left + error_ms)
    )
    packet = struct.pack(
        "!BBbbiI4xQ8sQQ", 0x24, 3, 6, -20, delay, spread, 0, token, came_stamp, left_stamp
    )
    told, uncertainty_ms = read(packet, token, 50, 50 + there + inside + back)
    assert abs(told - (left + back)) <= uncertainty_ms
