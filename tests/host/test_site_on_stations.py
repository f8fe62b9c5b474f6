"""What a station is told of the agent's day, and on which day."""

import json
from base64 import b64decode, b64encode
from datetime import date

import msgspec
import pytest
from diadema.hub.site_keeper import badges_of
from diadema.site import pins, station_config
from diadema.site.badges import badge_hash, simulated_badge
from diadema.site.description import SiteError, Wifi, parse
from diadema.site.example import EXAMPLE
from diadema_sim import people

from tests.support.scripted_station import SITE

KEY = "0f" * 32
STATION = "DIA-000000000001"
MONDAY, TUESDAY, HOLIDAY = date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 8)
MIDNIGHT = 1_796_101_200_000  # that begins 1 December 2026 in Lima


@pytest.fixture
def site():
    return parse(EXAMPLE.encode())


def told(site, day=None):
    return json.loads(station_config.ConfigMaker(site, KEY, -300, 1, day=day).build(STATION))


def hashed(site, day):
    return station_config.content_hash(site, KEY, -300, {}, day=day)


def test_the_example_shows_every_key(site):
    shown = json.loads(EXAMPLE)
    missing = {*msgspec.structs.asdict(site)} - {*shown}
    # of those that have no cable, and a version that a sample cannot know
    assert missing == {"wifi", "broker_names", "sntp", "firmware"}


def test_the_example_is_told_as_the_contract_says(site):
    config = told(site)
    assert config["agents"][0][3:] == [[], b64encode(bytes(24)).decode(), "1121"]
    assert len(config["agents"][1]) == 3
    assert config["reasons"][:3] == [
        ["refrigerio", "Refrigerio", 0, 2700], ["break", "Break", 2, 900], ["sshh", "SS. HH.", 3],
    ]  # fmt: skip
    assert config["reasons"][-1] == ["back_office", "Back office", 6]
    assert config["areas"][:2] == [["reclamos", "Reclamos", 1], ["tarjetas", "Tarjetas", 0]]
    assert config["help"][1] == ["sistema", "Sistema"]
    assert config["faults"][1][2] == [["pantalla", "Pantalla"], ["teclado", "Teclado o ratón"]]
    assert config["faults"][3] == ["mobiliario", "Silla o mesa", []]
    first, debts, sales = config["campaigns"]
    assert first[:2] + first[3:] == ["atencion", "Atención", None, 0]
    assert first[2][:2] == [["greeting", 1], ["identity", 0]]
    assert debts[3:] == [[8 * 60, 20 * 60, 0b0011111], 0]
    assert sales[3:] == [[9 * 60, 18 * 60, 0b0111111], 1]
    assert config["methods"][0] == ["dni_fecha", "DNI y nacimiento"]
    assert config["playbooks"] == [["1", "CONSULTAS", 3], ["2", "RECLAMOS", "2026-11"]]
    assert config["materials"][0] == ["vincha", "Vincha"]
    assert config["tools"] == [
        ["crm", "CRM abre"], ["usuario", "Usuario vigente"], ["vpn", "VPN conectada"],
    ]  # fmt: skip
    assert config["selftest"] == 1
    assert "pin" not in config


@pytest.mark.parametrize(
    "host_only",
    [
        "multi_login",
        "negative_codes",
        "holidays",
        "help_topics",
        "urgent",
        "external",
        "team",
        "day_badges",
    ],
)
def test_what_only_the_host_needs_is_not_told(site, host_only):
    assert host_only not in json.dumps(told(site, TUESDAY))


def test_a_tool_of_two_campaigns_is_told_once(site):
    crm = site.tools[0]
    second = msgspec.structs.replace(crm, campaign="ventas", label="Otro CRM")
    rows = told(msgspec.structs.replace(site, tools=[crm, second]))["tools"]
    assert rows == [["crm", "CRM abre"]]


def test_a_site_that_says_nothing_of_it_is_told_as_before():
    config = station_config.ConfigMaker(parse(json.dumps(SITE).encode()), KEY, -300, 1, day=MONDAY)
    assert {*json.loads(config.build("DIA-0123456789ab"))} == {
        "generation", "site", "station", "seat", "language", "utc_offset_min", "badge_key",
        "ring_limit_s", "wrapup_limit_s", "agents", "reasons", "tree",
    }  # fmt: skip


@pytest.mark.parametrize("policy", ["always", "clonable"])
def test_the_policy_and_the_verifiers_are_told(policy):
    described = json.loads(EXAMPLE) | {"pin": policy}
    for agent, pin in zip(described["agents"], ("142536", "612345"), strict=True):
        agent["pin"] = pins.make_verifier(pin)
    site = parse(json.dumps(described).encode())
    config = told(site)
    assert config["pin"] == policy
    for agent, row in zip(site.agents, config["agents"], strict=True):
        assert b64decode(row[4]).hex() == agent.pin.replace(":", "")
    assert "142536" not in json.dumps(config)


def test_a_lent_badge_is_told_on_its_day_only(site):
    lent = station_config.badge_hash(bytes.fromhex(KEY), "iso14443a:000000000000F1")
    assert told(site, TUESDAY)["agents"][1][2][1:] == [lent]
    for day in (None, MONDAY, date(2026, 12, 2)):
        assert lent not in json.dumps(told(site, day))
    assert hashed(site, MONDAY) == hashed(site, date(2026, 12, 2)) != hashed(site, TUESDAY)


def test_a_lent_card_that_proves_itself_has_its_key_told():
    described = json.loads(EXAMPLE)
    described["agents"][1]["day_badges"][0]["badge"] = "desfire:04782E21801D80"
    site = parse(json.dumps(described).encode())
    maker = station_config.ConfigMaker(site, KEY, -300, 1, card_key="c4" * 16, day=TUESDAY)
    row = json.loads(maker.build(STATION))["agents"][1]
    assert row[2][0] == station_config.badge_hash(bytes.fromhex(KEY), "desfire:04782E21801D80")
    assert (len(row[2]), len(row[3]), len(row[3][0])) == (2, 1, 32)


def test_a_holiday_shuts_the_campaigns_that_heed_it(site):
    debts = told(site, HOLIDAY)["campaigns"][1]
    assert debts[3] == [480, 1200, 0b0011101]  # without that Tuesday
    assert hashed(site, HOLIDAY) != hashed(site, TUESDAY)
    for campaign in site.campaigns[1:]:
        campaign.outbound.holidays = True
    assert told(site, HOLIDAY)["campaigns"][1][3][2] == 0b0011111
    for campaign in site.campaigns:
        campaign.outbound = None
    assert hashed(site, HOLIDAY) == hashed(site, MONDAY)


def test_the_day_is_the_sites_own(site):
    assert station_config.local_day(site, MIDNIGHT - 1) == MONDAY
    assert station_config.local_day(site, MIDNIGHT) == TUESDAY
    site.zone = "Europe/Madrid"
    assert station_config.local_day(site, MIDNIGHT - 1) == TUESDAY


def test_the_largest_roster_with_pins_and_lists_is_counted():
    described = people.site(
        people.desks(120), name="Centro", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    site = parse(json.dumps(described).encode())
    assert (len(site.agents), site.pin) == (120, "always")
    station_config.check_sizes(site)
    site.wifi = Wifi(**people.WIFI)
    station_config.check_sizes(site)


def test_the_day_with_most_lent_badges_must_fit_too(site, monkeypatch):
    longest = {one.id: {"key": "0" * 64, "update_key": "0" * 512} for one in site.stations}
    usual = station_config.ConfigMaker(site, KEY, 0, 0, longest).build(STATION)
    monkeypatch.setattr(station_config, "CONFIG_LIMIT", len(usual))
    with pytest.raises(SiteError, match="name fewer agents"):
        station_config.check_sizes(site)
    site.agents[1].day_badges.clear()
    station_config.check_sizes(site)


@pytest.mark.parametrize(("policy", "known"), [("none", 2), ("always", 1), ("clonable", 1)])
def test_a_simulated_station_knows_the_badges_of_its_desk_alone(site, policy, known):
    """e002 has no PIN, and a card that anybody could make up must not do without it."""
    site = msgspec.structs.replace(site, pin=policy)
    seat = msgspec.structs.replace(site.stations[0], id="DIA-0ed1ad000001", seat="S-01")
    site.stations.append(seat)
    key = bytes.fromhex(KEY)
    theirs = {one.id: badge_hash(key, simulated_badge(key, one.id)) for one in site.agents}
    maker = station_config.ConfigMaker(site, KEY, -300, 1, day=TUESDAY)
    simulated = {row[0]: row[2] for row in json.loads(maker.build(seat.id))["agents"]}
    real = {row[0]: row[2] for row in json.loads(maker.build(STATION))["agents"]}
    expected = [[theirs["e001"]], [theirs["e002"]]]
    assert [*simulated.values()] == [*expected[:known], *[[]] * (2 - known)]
    assert not {*theirs.values()} & {*real["e001"], *real["e002"]}
    assert len(real["e002"]) == 2  # with the one that is lent today
    owners = {badge.badge: badge.agent for badge in badges_of(site, KEY, MIDNIGHT)}
    ours = {one: of for of, one in theirs.items() if one in owners}
    assert {owners[one]: of for one, of in ours.items()} == {of: of for of in [*theirs][:known]}
