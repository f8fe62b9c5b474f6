"""Boots with and without an anchor, cut into batches anyhow: each hour is within its own doubt of
the truth, and the batches make no difference.
"""

import json
import tempfile
from pathlib import Path

from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.store import open_reader, open_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.scripted_station import SITE, T0, FixedClock, Script

DESCRIBED = sites.parse(json.dumps(SITE).encode())
HOUR = 3_600_000

BOOTS = st.lists(
    st.tuples(
        st.integers(0, 10 * HOUR),  # without power, before it
        st.booleans(),  # it gets an anchor
        st.integers(0, 2),  # calls before that
        st.integers(0, 2),  # and after
    ),
    min_size=1,
    max_size=6,
)


def told(boots):
    """The station's events, and by call the true hour of its beginning."""
    script, truth, power = Script(), {}, T0
    for number, (off, anchored, before, after) in enumerate(boots):
        power += off + (script.u if script.n else 0)
        script.boot()
        for call in range(before + after):
            if call == before and anchored:
                script.clock(power + script.u + 10)
            name = f"{number}-{call}"
            truth[name] = power + script.u + 1000
            script.call(name)
        if before + after == before and anchored:
            script.clock(power + script.u + 10)
    return script, truth


def placed(script, size):
    """(contact, start, doubt, late) of each call, taken in by batches of `size`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite3"
        writer = open_writer(path)
        ingest = Ingest(writer, DESCRIBED, FixedClock())
        messages = script.messages()
        for at in range(0, len(messages), size):
            ingest.take(messages[at : at + size], "stream", "server")
        reader = open_reader(path)
        rows = [(c.contact, c.start_utc, c.uncertainty_ms, c.late) for c in reader.contacts()]
        reader.close()
        writer.close()
        return rows


@settings(max_examples=examples(40), deadline=None)
@given(boots=BOOTS, size=st.integers(1, 40))
def test_an_hour_is_within_its_doubt_and_batches_make_no_difference(boots, size):
    script, truth = told(boots)
    rows = placed(script, len(script.bodies))
    assert [row[0] for row in rows] == list(truth)
    for name, start, doubt, late in rows:
        assert late == (doubt is not None)
        if start is not None:
            assert abs(start - truth[name]) <= (doubt if late else 60)
    first = next((at for at, boot in enumerate(boots) if boot[1]), len(boots))
    last = max((at for at, boot in enumerate(boots) if boot[1]), default=-1)
    for name, start, _, _ in rows:  # what lies between two known hours is always placed
        if first <= int(name.partition("-")[0]) <= last:
            assert start is not None
    assert placed(script, size) == rows
