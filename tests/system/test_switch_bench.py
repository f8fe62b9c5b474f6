"""What `make bench` measures of the bridge to the telephone exchange, run small: its calls come
through, and its own account of them is right.
"""

from tests.bench import switch, switch_crowd
from tests.bench.switch_crowd import Plan


async def test_the_parser_gives_every_recorded_event():
    seen = await switch.measure_parser(2_000)
    assert seen.given_s > 0 and seen.segments_s > 0 and seen.bytes_each > 300


async def test_each_key_calls_its_telephone():
    seen = await switch.measure_keys(2, 5)
    assert len(seen.originates_ms) == 5 and seen.failed == 0
    assert min(seen.rings_ms) > 0 and min(seen.originates_ms) > 0


async def test_a_crowd_has_every_call_in_the_store_and_is_right_again_after_a_cut():
    plan = Plan(agents=6, seconds=4, rate=2, burst_s=1, burst_rate=4, talk_s=1, up=3)
    seen = await switch_crowd.measure(plan)
    assert seen.calls == 12 and seen.answered > 0 and seen.lines >= 3 * seen.answered
    assert (seen.lost, seen.doubled, seen.otherwise) == (0, 0, 0)
    assert (seen.up, seen.cut_off) == (3, 0)
    assert seen.peak_mb > 0 and seen.right_s > 0
    named = {one.what: one for one in switch._crowded(seen)}
    assert named["of them lost in the store"].value == 0
