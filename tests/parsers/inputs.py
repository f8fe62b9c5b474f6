"""Hypothesis strategies over a parser's samples: bent, spliced, changed as JSON, or random."""

import random

from hypothesis import strategies as st

from tests.parsers.mutate import mutated
from tests.parsers.seeds import seeds

_SEEDS = seeds()
_noise = st.binary(max_size=200)


@st.composite
def _changed(draw: st.DrawFn, name: str) -> bytes:
    """A sample with up to four changes of one value each."""
    data = draw(st.sampled_from(_SEEDS[name]))
    for number in draw(st.lists(st.integers(0, 2**32), min_size=1, max_size=4)):
        data = mutated(data, random.Random(number))
    return data


@st.composite
def _bent(draw: st.DrawFn, name: str) -> bytes:
    """A sample with bytes changed, and something cut out or put in."""
    data = bytearray(draw(st.sampled_from(_SEEDS[name])))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    at = draw(st.integers(0, len(data)))
    data[at : at + draw(st.integers(0, 40))] = draw(_noise)
    return bytes(data)


@st.composite
def _joined(draw: st.DrawFn, name: str) -> bytes:
    """Several lines, each a sample or a changed one."""
    one = st.sampled_from(_SEEDS[name]) | _changed(name)
    return b"\n".join(draw(st.lists(one, min_size=2, max_size=6)))


def inputs(name: str) -> st.SearchStrategy[bytes]:
    return _changed(name) | _bent(name) | _joined(name) | _noise
