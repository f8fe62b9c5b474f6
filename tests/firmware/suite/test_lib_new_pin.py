"""A code for one use lets her choose her own PIN; nobody else reads it on its way."""

import asyncio
from binascii import b2a_base64, hexlify, unhexlify

from lib.pin import check
from lib.seal import hmac_sha256

from tests.support.deskbench import ROSA, WITH_PIN, DeskBench

UNTIL = 1_795_000_600  # a second of UTC
KEY = "0f" * 32
CODE = b2a_base64(bytes(24) + UNTIL.to_bytes(4, "big")).decode().strip()
LOGIN = ["session.opened", "presence.changed"]


def reset(**more):
    """Her PIN was reset: the bench takes 123455 for the code."""
    config = dict(WITH_PIN, key=KEY, **more)
    config["agents"] = [row[:4] + [CODE] + row[5:] for row in config["agents"]]  # noqa: RUF005
    return DeskBench(config)


def verifier_told(bench):
    told = unhexlify(bench.last("pin.chosen")["verifier"])
    pad = hmac_sha256(unhexlify(KEY), b"pin" + told[:8])
    return told[:8] + bytes(ours ^ theirs for ours, theirs in zip(told[8:], pad))  # noqa: B905


def test_the_code_asks_for_a_pin_of_her_own_twice():
    bench = reset()
    bench.do("badge", ROSA)
    assert bench.type("123455") == []
    assert bench.station.menu.stage == "new"
    assert bench.type("143526") == []
    assert bench.station.menu.stage == "again"
    kinds = bench.type("143526")
    assert kinds == ["pin.chosen"] + LOGIN  # noqa: RUF005
    chosen = bench.last("pin.chosen")
    assert (chosen["a"], chosen["until"]) == ("a001", UNTIL)
    assert verifier_told(bench) == b"saltsalt143526" + bytes(10)
    assert hexlify(b"143526").decode() not in chosen["verifier"]
    assert bench.last("session.opened")["method"] == "badge_pin"
    assert bench.station.config.one_use("a001") == 0


def test_with_her_code_instead_of_the_badge():
    bench = reset()
    bench.do("key6")
    bench.type("1111")
    bench.type("123455")
    bench.type("143526")
    assert bench.type("143526")[0] == "pin.chosen"
    assert bench.last("session.opened")["method"] == "code_pin"


def test_what_anybody_would_try_or_is_not_the_same_twice_begins_again():
    bench = reset()
    bench.do("badge", ROSA)
    bench.type("123455")
    for easy in ("111111", "123456", "654321"):
        bench.type(easy)
        assert (bench.station.menu.stage, bench.station.menu.hint) == ("new", "weak_pin")
    bench.type("143526")
    bench.type("143525")
    assert (bench.station.menu.stage, bench.station.menu.hint) == ("new", "other_pin")
    bench.do("key1")
    assert bench.station.menu.hint is None
    bench.type("43526")
    assert bench.type("143526")[0] == "pin.chosen"


def test_who_walks_away_has_chosen_nothing_and_is_not_in():
    bench = reset()
    bench.do("badge", ROSA)
    bench.type("123455")
    bench.type("143526")
    assert bench.do("tick", after_ms=20_000) == ["session.denied"]
    assert bench.station.config.one_use("a001") == UNTIL


def test_a_wrong_code_lets_nobody_choose():
    bench = reset()
    bench.do("badge", ROSA)
    bench.type("143526")
    assert bench.last("session.denied")["reason"] == "wrong_pin"
    assert bench.station.menu.stage is None


def test_without_the_stations_key_nothing_can_be_told():
    bench = reset()
    bench.station.config.key = None
    bench.do("badge", ROSA)
    bench.type("123455")
    assert bench.last("session.denied")["reason"] == "no_roster"


def test_the_check_of_a_code_ends_with_its_time_and_makes_the_verifier():
    class Thing:
        crowded = False

    app, page = Thing(), Thing()
    app.posted = []
    app.post = lambda *what: app.posted.append(what)
    app.machine, app.clock = reset().station, Thing()
    app.clock.now = lambda: 7
    page.wipe = lambda: None
    page.details, page.first, page.digits = ("0", "a001"), None, b"123455"

    def answer(utc):
        app.machine.utc = lambda u: utc
        asyncio.run(check(app, page))
        return app.posted[-1][2][1]

    page.first = b"143526"
    made = answer(None)
    assert len(made) == 24
    page.first = None
    right = b2a_base64(made + UNTIL.to_bytes(4, "big")).decode().strip()
    page.digits = b"123455"
    app.machine.config.choose("a001", right)
    assert answer(UNTIL * 1000) is True
    assert answer(UNTIL * 1000 + 1000) is False
    assert answer(None) is True
