"""What a fast clock waits for on the cable of a simulated station."""

import json

from diadema.wire.frames import cut, encode
from diadema_sim.traffic import Traffic


async def test_an_event_beside_a_piece_owes_no_other_piece():
    """The host says nothing before the station has read the one on its way."""
    traffic = Traffic(lambda: 1_000, lambda: None)
    first, second, *_ = cut(7, b"{" + b"x" * 500)
    event = {"k": "station.health", "e": 1, "n": 1}
    traffic.cable_down(first)
    traffic.cable_up(encode(json.dumps(event).encode()))
    assert traffic.clock_limit_ms == 5_500  # its acknowledgement
    traffic.cable_up(encode(b'{"got":[7,1]}'))
    assert traffic.clock_limit_ms == 1_000
    traffic.cable_down(second)
    assert traffic.clock_limit_ms == 5_500
    traffic.power_lost()
