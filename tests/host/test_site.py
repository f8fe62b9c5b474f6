"""A site's description: taken whole, or refused with the key and the reason."""

import copy
import hashlib
import hmac
import json
from base64 import b64decode

import pytest
from diadema import site as sites
from diadema import station_config
from diadema.frames import DOWN_LIMIT
from scripted_station import SITE

KEY = "0f" * 32
SUMMER, WINTER = 1_782_900_000_000, 1_795_000_000_000  # July and November 2026


def changed(path, value):
    """SITE with another value at `path`; a callable value changes what is there."""
    described = copy.deepcopy(SITE)
    *way, last = path
    place = described
    for step in way:
        place = place[step]
    place[last] = value(place[last]) if callable(value) else value
    return json.dumps(described).encode()


@pytest.mark.parametrize(
    ("path", "value", "key", "reason"),
    [
        (["zone"], "America/Limma", "zone", "no time zone"),
        (["language"], "fr", "language", "Invalid enum"),
        (["sntp"], "time.example.pe", "sntp", "regex"),
        (["sntp"], "time.example.pe:0", "sntp", "1 to 65535"),
        (["sntp"], "time.example.pe:65536", "sntp", "1 to 65535"),
        (["ring_limit_s"], 2, "ring_limit_s", ">= 5"),
        (["ring_limit_s"], "20", "ring_limit_s", "Expected `int`"),
        (["stations", 1, "id"], "DIA-0123456789AB", "stations[1].id", "12 lower-case hex"),
        (["stations", 1, "id"], "DIA-0123456789ab", "stations[1].id", "twice"),
        (["stations", 1, "seat"], "A-01", "stations[1].seat", "twice"),
        (["stations", 1, "seat"], "A" * 13, "stations[1].seat", "<= 12"),
        (["agents", 1, "id"], "a001", "agents[1].id", "twice"),
        (["agents", 1, "id"], "a 1", "agents[1].id", "regex"),
        (["agents", 0, "short"], "Q" * 17, "agents[0].short", "<= 16"),
        (["agents", 0], lambda a: {**a, "badge": "x"}, "agents[0]", "unknown field `badge`"),
        (["agents"], lambda a: a * 61, "agents", "<= 120"),
        (["agents", 1, "badges"], ["04A1"], "agents[1].badges[0]", "kind:ID"),
        (["agents", 1, "badges"], ["iso14443a:04a1b2c3"], "agents[1].badges[0]", "upper-case"),
        (["agents", 1, "badges"], ["iso14443a:04A1B2C3D4E5F6"], "agents[1].badges[0]", "a001"),
        (["reasons", 1, "label"], "", "reasons[1].label", ">= 1"),
        (["reasons", 1, "code"], "login", "reasons[1].code", "system only"),
        (["tree", "version"], "1", "tree.version", "Expected `int`"),
        (["tree", "nodes"], [], "tree.nodes", ">= 1"),
        (["tree", "nodes", 0], ["1", "X"], "tree.nodes[0]", "level 1 of 3"),
        (["tree", "nodes", 0, 2, 0], ["11", "X"], "tree.nodes[0][2][0]", "level 2 of 3"),
        (["tree", "nodes", 0, 2, 0, 2], [], "tree.nodes[0][2][0]", "no children"),
        (["tree", "nodes", 0, 2, 0, 2, 0], lambda n: [*n, []], "[2][0][2][0]", "[code, label]"),
        (["tree", "nodes", 0, 2, 0, 2, 0, 0], "SIN_TIPIFICAR", "[2][0][2][0]", "system only"),
        (["tree", "nodes", 0, 2, 0, 2, 0, 0], "112", "tree.nodes", "112 is there twice"),
        (["tree", "nodes", 0, 2, 0, 2, 0, 1], "L" * 17, "[2][0][2][0]", "<= 16"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(path, value, key, reason):
    with pytest.raises(sites.SiteError) as refused:
        sites.parse(changed(path, value))
    assert key in refused.value.key
    assert reason in refused.value.reason


def test_a_time_server_is_told_to_the_stations_only_if_named():
    def told(described):
        maker = station_config.ConfigMaker(sites.parse(described), KEY, -300, 1)
        return json.loads(maker.build("DIA-0123456789ab"))

    assert "sntp" not in told(json.dumps(SITE).encode())
    assert told(changed(["sntp"], "10.1.2.3:123"))["sntp"] == "10.1.2.3:123"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"site":"x"}'])
def test_no_site_at_all(data):
    with pytest.raises(sites.SiteError, match=r"site\.json: "):
        sites.parse(data)


def test_configuration_of_a_station(site):
    maker = station_config.ConfigMaker(site, KEY, -300, 3)
    config = json.loads(maker.build("DIA-0123456789ac"))
    badge = hmac.new(bytes.fromhex(KEY), b"iso14443a:04A1B2C3D4E5F6", hashlib.sha256)
    assert config == {
        "generation": 3,
        "site": "Centro",
        "station": "DIA-0123456789ac",
        "seat": "A-02",
        "language": "es",
        "utc_offset_min": -300,
        "badge_key": KEY,
        "ring_limit_s": 20,
        "wrapup_limit_s": 60,
        "agents": [["a001", "QUISPE R.", [badge.hexdigest()[:32]]], ["a002", "PARI L.", []]],
        "reasons": [["refrigerio", "Refrigerio", 0], ["sshh", "SS. HH.", 1]],
        "tree": SITE["tree"],
    }
    own = {"DIA-0123456789ac": {"key": "7b" * 32}}
    sealed = station_config.ConfigMaker(site, KEY, -300, 3, own)
    assert json.loads(sealed.build("DIA-0123456789ac")) == config | {"key": "7b" * 32}
    assert sealed.build("DIA-0123456789ab") == maker.build("DIA-0123456789ab")
    assert maker.knows("DIA-0123456789ab")
    assert not maker.knows("DIA-0123456789ff")


def test_blocks_put_together_are_the_configuration(site):
    site.agents *= 60
    config = station_config.ConfigMaker(site, KEY, -300, 3).build("DIA-0123456789ab")
    blocks = list(station_config.blocks(config))
    assert b"".join(b64decode(block["data"]) for block in blocks) == config
    assert [block["part"] for block in blocks] == list(range(1, len(blocks) + 1))
    assert {block["sha256"] for block in blocks} == {hashlib.sha256(config).hexdigest()}
    assert {(block["parts"], block["generation"]) for block in blocks} == {(len(blocks), 3)}
    longest = max(len(json.dumps({**block, "i": 2**53, "h": "0" * 16})) for block in blocks)
    assert longest <= DOWN_LIMIT


def test_a_configuration_that_no_station_can_hold(site):
    site.tree.nodes = site.tree.nodes * 400
    with pytest.raises(sites.SiteError, match="shorten the tree"):
        station_config.ConfigMaker(site, KEY, 0, 1).build("DIA-0123456789ab")


@pytest.mark.parametrize(
    ("zone", "summer", "winter"),
    [("America/Lima", -300, -300), ("Europe/Madrid", 120, 60), ("Asia/Kathmandu", 345, 345)],
)
def test_offset_is_that_of_the_moment(site, zone, summer, winter):
    site.zone = zone
    assert station_config.utc_offset_min(site, SUMMER) == summer
    assert station_config.utc_offset_min(site, WINTER) == winter


def test_any_change_that_a_station_would_see_changes_the_hash(site):
    own = {"DIA-0123456789ac": {"key": "7b" * 32}, "DIA-ffffffffffff": {"key": "7c" * 32}}
    first = station_config.content_hash(site, KEY, -300, own)
    del own["DIA-ffffffffffff"]  # no station of the site
    assert first == station_config.content_hash(site, KEY, -300, own)
    assert first != station_config.content_hash(site, KEY, -300, {})
    assert first != station_config.content_hash(site, KEY, -240, own)
    assert first != station_config.content_hash(site, "00" * 32, -300, own)
    site.agents[0].badges.append("iso14443a:04000000")
    assert first != station_config.content_hash(site, KEY, -300, own)
