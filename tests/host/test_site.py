"""A site's description: taken whole, or refused with the key and the reason."""

import copy
import hashlib
import hmac
import json
from base64 import b64decode
from datetime import date

import pytest
from diadema.site import description as sites
from diadema.site import station_config
from diadema.wire.frames import DOWN_LIMIT

from tests.support.scripted_station import SITE

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
        (["wifi"], {"ssid": "ñ" * 17, "password": ""}, "wifi.ssid", "more than 32 bytes"),
        (["wifi"], {"ssid": "x" * 33, "password": ""}, "wifi.ssid", "<= 32"),
        (["wifi"], {"ssid": "x", "password": "siete77"}, "wifi.password", "8 to 63 bytes"),
        (["wifi"], {"ssid": "x", "password": "g" * 64}, "wifi.password", "64 hex digits"),
        (["wifi"], {"ssid": "x", "password": "ñ" * 32}, "wifi.password", "8 to 63 bytes"),
        (["stations", 1, "id"], "DIA-0123456789AB", "stations[1].id", "12 lower-case hex"),
        (["stations", 1, "id"], "DIA-0123456789ab", "stations[1].id", "twice"),
        (["stations", 1, "seat"], "A-01", "stations[1].seat", "twice"),
        (["stations", 1, "seat"], "A" * 13, "stations[1].seat", "<= 12"),
        (["stations", 1, "seat"], "B\x1b[31m-1", "stations[1].seat", "U+001B, which nobody sees"),
        (["stations", 1, "seat"], "B-\u202e1", "stations[1].seat", "write it without"),
        (["agents", 1, "id"], "a001", "agents[1].id", "twice"),
        (["agents", 1, "id"], "a 1", "agents[1].id", "regex"),
        (["agents", 0, "short"], "Q" * 17, "agents[0].short", "<= 16"),
        (["agents", 0], lambda a: {**a, "badge": "x"}, "agents[0]", "unknown field `badge`"),
        (["agents"], lambda a: a * 1001, "agents", "<= 2000"),
        (["stations", 0, "teams"], ["Nadie"], "stations[0].teams[0]", "no agent is of Nadie"),
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
    assert reason in str(refused.value.reason)


@pytest.mark.parametrize(
    ("ssid", "password"),
    [("Abierta", ""), ("x" * 32, "p" * 63), ("ñ" * 16, "ñ" * 31), ("x", "0123456789ABCDEF" * 4)],
)
def test_each_kind_of_network_can_be_told(ssid, password):
    wifi = {"ssid": ssid, "password": password}
    told = sites.parse(changed(["wifi"], wifi)).wifi
    assert (told.ssid, told.password) == (ssid, password)


def test_a_time_server_is_told_to_the_stations_only_if_named():
    def told(described):
        maker = station_config.ConfigMaker(sites.parse(described), KEY, -300, 1)
        return json.loads(maker.build("DIA-0123456789ab"))

    assert "sntp" not in told(json.dumps(SITE).encode())
    assert told(changed(["sntp"], "10.1.2.3:123"))["sntp"] == "10.1.2.3:123"
    assert "firmware" not in told(json.dumps(SITE).encode())
    assert told(changed(["firmware"], "0.1.0"))["firmware"] == "0.1.0"


VERIFIER = "0123456789abcdef:" + "5a" * 16
HOURS = {"from": "08:00", "to": "20:00", "days": ["mon", "fri"]}
STEPS = [{"step": "greeting", "automatic": True}, {"step": "identity"}, {"step": "closing"}]
ONE = {"code": "x", "label": "X"}


def campaign(**more):
    return [{**ONE, **more}]


@pytest.mark.parametrize(
    ("path", "value", "key", "reason"),
    [
        (["pin"], "sometimes", "pin", "Invalid enum"),
        (["multi_login"], "forbid", "multi_login", "Invalid enum"),
        (["selftest"], 1, "selftest", "Expected `bool`"),
        (["agents", 0, "pin"], "142536", "agents[0].pin", "regex"),
        (["agents", 0, "pin"], VERIFIER.upper(), "agents[0].pin", "regex"),
        (["agents", 0, "pin"], VERIFIER + "\n", "agents[0].pin", "regex"),
        (["agents", 0, "code"], "1127", "agents[0].code", "regex"),
        (["agents", 0, "code"], "112", "agents[0].code", "regex"),
        (["agents", 0, "code"], "1121", "agents[0].pin", "`diadema pin a001` makes one"),
        (
            ["agents"],
            lambda agents: [{**agent, "pin": VERIFIER, "code": "1121"} for agent in agents],
            "agents[1].code", "belongs to a001 already",
        ),
        (["pin"], "always", "agents[0].pin", "`diadema pin a001` makes one"),
        (["pin"], "clonable", "agents[0].pin", "asks for her PIN"),
        (["reasons", 1, "code"], "wrapup_end", "reasons[1].code", "system only"),
        (["reasons", 1, "code"], "refrigerio", "reasons[1].code", "twice"),
        (["reasons", 1, "limit_s"], 600, "reasons[1].limit_s", "private"),
        (["reasons", 0, "limit_s"], -1, "reasons[0].limit_s", ">= 0"),
        (["reasons", 0, "limit_s"], 28_801, "reasons[0].limit_s", "<= 28800"),
        (["reasons", 0, "paid"], 1, "reasons[0].paid", "Expected `bool`"),
        (["areas"], [ONE, ONE], "areas[1].code", "twice"),
        (["areas"], [{**ONE, "label": "L" * 17}], "areas[0].label", "<= 16"),
        (["areas"], [{**ONE, "consult": True}], "areas[0]", "unknown field"),
        (["areas"], [{"code": f"x{n}", "label": "X"} for n in range(25)], "areas", "<= 24"),
        (["help_topics"], [ONE, ONE], "help_topics[1].code", "twice"),
        (["help_topics"], [{"code": "x y", "label": "X"}], "help_topics[0].code", "regex"),
        (["fault_areas"], [ONE, ONE], "fault_areas[1].code", "twice"),
        (["fault_areas"], campaign(parts=[ONE, ONE]), "fault_areas[0].parts[1].code", "twice"),
        (["identity_methods"], [ONE, ONE], "identity_methods[1].code", "twice"),
        (["materials"], [ONE, ONE], "materials[1].code", "twice"),
        (["materials"], [{"code": "x"}], "materials[0]", "missing required field `label`"),
        (["campaigns"], [ONE, ONE], "campaigns[1].code", "twice"),
        (["campaigns"], campaign(steps=[{"step": "sell"}]), "campaigns[0].steps[0].step", "enum"),
        (["campaigns"], campaign(steps=STEPS * 2), "campaigns[0].steps[3].step", "twice"),
        (
            ["campaigns"], campaign(steps=[{"step": "need", "automatic": True}]),
            "campaigns[0].steps[0].automatic", "greeting and closing",
        ),
        (["campaigns"], campaign(consent=1), "campaigns[0].consent", "Expected `bool`"),
        (["campaigns"], campaign(outbound={"from": "08:00"}), "campaigns[0].outbound", "missing"),
        (
            ["campaigns"], campaign(outbound=HOURS | {"from": "8:00"}),
            "campaigns[0].outbound.from", "HH:MM",
        ),
        (
            ["campaigns"], campaign(outbound=HOURS | {"to": "24:30"}),
            "campaigns[0].outbound.to", "HH:MM",
        ),
        (
            ["campaigns"], campaign(outbound=HOURS | {"from": "20:00"}),
            "campaigns[0].outbound.to", "after 20:00",
        ),
        (
            ["campaigns"], campaign(outbound=HOURS | {"days": []}),
            "campaigns[0].outbound.days", ">= 1",
        ),
        (
            ["campaigns"], campaign(outbound=HOURS | {"days": ["lun"]}),
            "campaigns[0].outbound.days[0]", "enum",
        ),
        (
            ["campaigns"], campaign(outbound=HOURS | {"days": ["mon", "mon"]}),
            "campaigns[0].outbound.days[1]", "twice",
        ),
        (["holidays"], ["8 de diciembre"], "holidays[0]", "RFC3339"),
        (
            ["playbooks"], [{"motive": "11", "id": "x", "version": 1}],
            "playbooks[0].motive", "first level",
        ),
        (
            ["playbooks"], [{"motive": "1", "id": "x", "version": 1}] * 2,
            "playbooks[1].motive", "twice",
        ),
        (
            ["playbooks"], [{"motive": "1", "id": "x y", "version": 1}],
            "playbooks[0].id", "regex",
        ),
        (
            ["playbooks"], [{"motive": "1", "id": "x", "version": 0}],
            "playbooks[0].version", ">= 1",
        ),
        (
            ["playbooks"], [{"motive": "1", "id": "x", "version": ""}],
            "playbooks[0].version", ">= 1",
        ),
        (["negative_codes"], ["11"], "negative_codes[0]", "third level"),
        (["negative_codes"], ["111", "111"], "negative_codes[1]", "twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_of_the_agents_day_is_told_with_its_key(path, value, key, reason):
    with pytest.raises(sites.SiteError) as refused:
        sites.parse(changed(path, value))
    assert refused.value.key == key
    assert reason in str(refused.value.reason)


@pytest.mark.parametrize(
    ("lent", "key", "reason"),
    [
        ([[("04A1", "2026-12-01")], []], "agents[0].day_badges[0].badge", "kind:ID"),
        ([[("iso14443a:04F1F1F1", "mañana")], []], "agents[0].day_badges[0].day", "RFC3339"),
        (
            [[], [("iso14443a:04A1B2C3D4E5F6", "2026-12-01")]],
            "agents[1].day_badges[0].badge", "belongs to a001 for good",
        ),
        (
            [[("iso14443a:04F1F1F1", "2026-12-01")], [("iso14443a:04F1F1F1", "2026-12-01")]],
            "agents[1].day_badges[0].badge", "is lent to a001 on that day",
        ),
        (
            [[("desfire:04782E21801D80", "2026-12-01")],
             [("iso14443a:04782E21801D80", "2026-12-02")]],
            "agents[1].day_badges[0].badge", "anybody could copy it",
        ),
        ([[("desfire:04A1B2C3", "2026-12-01")], []], "agents[0].day_badges[0].badge", "14 hex"),
    ],
)  # fmt: skip
def test_a_badge_is_lent_to_one_person_a_day(lent, key, reason):
    with pytest.raises(sites.SiteError) as refused:
        sites.parse(with_lent(*lent))
    assert refused.value.key == key
    assert reason in str(refused.value.reason)


def with_lent(*lent):
    def each(agents):
        return [
            {**agent, "day_badges": [{"badge": badge, "day": day} for badge, day in theirs]}
            for agent, theirs in zip(agents, lent, strict=True)
        ]

    return changed(["agents"], each)


def test_a_badge_can_be_lent_to_another_on_another_day():
    lent = [("iso14443a:04F1F1F1", "2026-12-01")], [("iso14443a:04F1F1F1", "2026-12-02")]
    first, second = sites.parse(with_lent(*lent)).agents
    assert first.badges_on(date(2026, 12, 1)) == ["iso14443a:04A1B2C3D4E5F6", "iso14443a:04F1F1F1"]
    assert first.badges_on(date(2026, 12, 2)) == first.badges == first.badges_on(None)
    assert second.badges_on(date(2026, 12, 2)) == ["iso14443a:04F1F1F1"]


@pytest.mark.parametrize("policy", ["always", "clonable"])
def test_who_has_no_badge_needs_no_pin(policy):
    described = json.loads(changed(["pin"], policy))
    described["agents"][0]["pin"] = VERIFIER  # a002 has no badge yet
    assert sites.parse(json.dumps(described).encode()).pin == policy


def test_a_badge_that_proves_itself_needs_no_pin_where_only_copies_are_feared():
    described = json.loads(changed(["agents", 0, "badges"], ["desfire:04782E21801D80"]))
    assert sites.parse(json.dumps(described | {"pin": "clonable"}).encode())
    with pytest.raises(sites.SiteError):
        sites.parse(json.dumps(described | {"pin": "always"}).encode())


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


@pytest.mark.parametrize("seat", ["Ñandú 1ª", "=A1", "a/../b", " B-1"])
def test_a_seat_may_have_any_name_that_can_be_read(seat):
    assert sites.parse(changed(["stations", 1, "seat"], seat)).stations[1].seat == seat
