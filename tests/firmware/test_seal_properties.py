"""The station's seal against the host library's HMAC, and against any bytes."""

import hashlib
import hmac
import json

from hypothesis import given
from hypothesis import strategies as st
from lib.seal import sealed

STATION = "DIA-0200000000a1"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(
    body=st.dictionaries(st.text(max_size=8), json_values, min_size=1),
    key=st.binary(min_size=32, max_size=32),
    boot=st.integers(0, 2**32),
    at=st.integers(0),
    bit=st.integers(0, 7),
)
def test_the_seal_is_the_hosts_and_any_bit_breaks_it(
    body: dict[str, object], key: bytes, boot: int, at: int, bit: int
) -> None:
    text = json.dumps(body).encode()
    message = f"{STATION}\n{boot}\n".encode() + text
    seal = hmac.digest(key, message, hashlib.sha256)[:8].hex()
    whole = text[:-1] + f',"h":"{seal}"}}'.encode()
    assert sealed(key, STATION, boot, whole)
    assert not sealed(key, STATION, boot + 1, whole)
    bent = bytearray(whole)
    bent[at % len(bent)] ^= 1 << bit
    assert not sealed(key, STATION, boot, bytes(bent))


@given(text=st.binary(max_size=80))
def test_any_bytes_are_no_seal(text: bytes) -> None:
    assert not sealed(bytes(32), STATION, 1, text)
