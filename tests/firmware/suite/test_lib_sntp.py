"""A time server's packets: what is asked, what is believed, and how far it may be off."""

import struct

from lib.errors import LinkError
from lib.sntp import read, request

TOKEN = bytes(range(200, 208))
UTC = 1_770_037_200_000  # 2026-02-02 13:00
_1900 = 2_208_988_800


def stamp(utc_ms):
    """As a server writes it: 32 bits of seconds since 1900, whatever the era."""
    seconds, ms = divmod(utc_ms, 1000)
    return ((seconds + _1900) % (1 << 32)) << 32 | ((ms << 32) + 999) // 1000


def reply(**fields):
    """A good reply whose server took 20 ms, with some fields otherwise."""
    get = fields.get
    return struct.pack(
        "!BBbbiI4sQ8sQQ",
        get("first", 0x24),
        get("stratum", 2),
        6,
        -20,
        get("delay", 0x20000 // 1000),  # 2 ms
        get("spread", 0x50000 // 1000),  # 5 ms
        b"LIMA",
        stamp(UTC - 60_000),
        get("origin", TOKEN),
        get("came", stamp(UTC - 20)),
        get("left", stamp(get("utc", UTC))),
    )


def refused(packet, sent=1000, u=1100):
    """The code of the refusal, None when it is believed."""
    try:
        read(packet, TOKEN, sent, u)
    except LinkError as error:
        return error.code
    return None


def test_the_question_holds_nothing_but_the_token():
    packet = request(TOKEN)
    assert len(packet) == 48
    assert packet[0] == 0x23
    assert packet[1:40] == bytes(39)
    assert packet[40:] == TOKEN


def test_half_the_way_back_is_added_and_doubted():
    utc, uncertainty_ms = read(reply(), TOKEN, 1000, 1100)
    assert utc == UTC + 40  # 100 ms in all, 20 of them in the server
    assert 40 + 6 <= uncertainty_ms <= 40 + 8


def test_the_truth_lies_within_the_uncertainty_however_lopsided_the_way():
    for there, back in ((0, 0), (1, 0), (80, 0), (0, 80), (13, 700)):
        true_utc = UTC + back  # when it arrives
        utc, uncertainty_ms = read(reply(), TOKEN, 1000, 1000 + there + 20 + back)
        assert abs(utc - true_utc) <= uncertainty_ms


def test_a_clock_that_serves_in_no_time():
    same = reply(came=stamp(UTC))
    assert read(same, TOKEN, 1000, 1000)[0] == UTC


def test_only_a_reply_to_our_question_counts():
    assert refused(reply(origin=bytes(8))) == "foreign"
    assert refused(reply(origin=TOKEN[:7] + b"\0")) == "foreign"
    assert refused(reply()[:47]) == "foreign"
    assert refused(b"") == "foreign"
    assert refused(reply() + bytes(20)) is None  # a key and a digest that we do not know


def test_a_server_without_time_is_not_believed():
    assert refused(reply(stratum=0)) == "refused"  # kiss-o'-death
    assert refused(reply(stratum=16)) == "refused"
    assert refused(reply(first=0xE4)) == "refused"  # its clock was never set
    assert refused(reply(delay=-1)) == "refused"
    assert refused(reply(spread=2 << 16)) == "refused"


def test_what_no_server_sends():
    assert refused(reply(first=0x23)) == "protocol"  # another client
    assert refused(reply(first=0x25)) == "protocol"  # a broadcast
    assert refused(reply(first=0x0C)) == "protocol"  # version 1
    assert refused(reply(left=0)) == "protocol"
    assert refused(reply(came=0)) == "protocol"
    assert refused(reply(came=stamp(UTC + 5))) == "protocol"  # left before it came
    assert refused(reply(came=stamp(UTC - 500))) == "protocol"  # longer there than we waited


def test_version_three_serves_too():
    assert refused(reply(first=0x1C)) is None


def test_after_february_2036_the_seconds_begin_anew():
    for utc in (2_085_978_495_999, 2_085_978_496_001, 2_085_978_496_250, 4_000_000_000_000):
        packet = reply(utc=utc, came=stamp(utc))
        assert read(packet, TOKEN, 7, 7)[0] == utc


def test_fractions_are_milliseconds():
    for ms in (1, 333, 500, 999):
        packet = reply(utc=UTC + ms, came=stamp(UTC + ms))
        assert read(packet, TOKEN, 7, 7)[0] == UTC + ms
