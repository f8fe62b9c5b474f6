"""Secure badges on the host: known answers, whose keys a station is told, and what is refused."""

import copy
import json

import pytest
from diadema.site import badges as badge_cards
from diadema.site import station_config
from diadema.site.description import SiteError, parse
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_station import SITE

KEY = "0f" * 32
CARD_KEY = "00112233445566778899AABBCCDDEEFF"
UID = "04782E21801D80"
STATION = "DIA-0123456789ab"


def site_with(*badges):
    described = copy.deepcopy(SITE)
    for agent, theirs in zip(described["agents"], badges, strict=False):
        agent["badges"] = list(theirs)
    return parse(json.dumps(described).encode())


def agents_of(site, **options):
    made = station_config.ConfigMaker(site, KEY, -300, 1, **options).build(STATION)
    return json.loads(made)["agents"], made


@pytest.mark.parametrize(
    ("length", "mac"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_rfc_4493_examples(length, mac):
    message = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert badge_cards.aes_cmac(key, message[:length]).hex() == mac


def test_an10922_example():
    """AN10922 §2.2.1: master key, UID ‖ AID 3042F5 ‖ «NXP Abu»."""
    data = bytes.fromhex("04782E21801D803042F5") + b"NXP Abu"
    made = badge_cards.diversify(bytes.fromhex(CARD_KEY), data)
    assert made.hex() == "a8dd63a3b89d54b37ca802473fda9175"


@pytest.mark.parametrize(("key", "data"), [(15, 16), (17, 16), (16, 15), (16, 32)])
def test_what_the_note_does_not_cover_is_refused(key, data):
    with pytest.raises(ValueError, match="16"):
        badge_cards.diversify(bytes(key), bytes(data))


@given(st.sets(st.binary(min_size=7, max_size=7), min_size=2, max_size=20))
def test_each_card_and_each_number_has_a_key_of_its_own(uids):
    site_key = bytes.fromhex(CARD_KEY)
    keys = {badge_cards.card_key(site_key, uid, number) for uid in uids for number in (0, 1)}
    assert len(keys) == 2 * len(uids)
    assert site_key not in keys


def test_a_station_is_told_its_rosters_card_keys_and_nothing_they_come_from():
    site = site_with([f"iso14443a:{'A' * 8}", f"desfire:{UID}"], ["iso14443a:CAFE0001"])
    (first, second), text = agents_of(site, card_key=CARD_KEY)
    hashes = [
        station_config.badge_hash(bytes.fromhex(KEY), badge)
        for badge in (f"desfire:{UID}", f"iso14443a:{'A' * 8}")
    ]
    reader_key = badge_cards.card_key(bytes.fromhex(CARD_KEY), bytes.fromhex(UID))
    assert first[2:] == [hashes, [reader_key.hex()]]
    assert len(second) == 3
    owner_key = badge_cards.card_key(bytes.fromhex(CARD_KEY), bytes.fromhex(UID), 0)
    for secret in (CARD_KEY.lower(), owner_key.hex(), UID.lower()):
        assert secret not in text.decode().lower()


def test_a_site_without_secure_badges_is_told_as_ever():
    site = site_with([f"iso14443a:{UID}"])
    assert agents_of(site)[1] == agents_of(site, card_key=CARD_KEY)[1]
    told = station_config.content_hash(site, KEY, -300, {})
    assert told == station_config.content_hash(site, KEY, -300, {}, CARD_KEY)


def test_secure_badges_need_the_card_key_and_another_one_is_told():
    site = site_with([f"desfire:{UID}"])
    with pytest.raises(ValueError, match="16"):
        agents_of(site)
    told = station_config.content_hash(site, KEY, -300, {}, CARD_KEY)
    assert told != station_config.content_hash(site, KEY, -300, {}, "00" * 16)


@pytest.mark.parametrize(
    ("badges", "key", "reason"),
    [
        ([["desfire:04A1B2C3"]], "agents[0].badges[0]", "14 hex digits"),
        ([[f"desfire:{UID}AA"]], "agents[0].badges[0]", "14 hex digits"),
        ([[f"desfire:{UID}", f"iso14443a:{UID}"]], "agents[0].badges[1]", "anybody could copy"),
        ([[f"iso14443a:{UID}"], [f"desfire:{UID}"]], "agents[0].badges[0]", "anybody could"),
        ([[f"desfire:{UID}"], [f"desfire:{UID}"]], "agents[1].badges[0]", "a001 already"),
    ],
)
def test_what_would_weaken_a_secure_badge_is_refused(badges, key, reason):
    with pytest.raises(SiteError) as refused:
        site_with(*badges)
    assert refused.value.key == key
    assert reason in str(refused.value.reason)


def test_the_largest_roster_of_secure_badges_is_counted():
    """120 agents with a secure badge each: what a station can hold is checked with their keys."""
    described = copy.deepcopy(SITE)
    described["agents"] = [
        {"id": f"a{n:03}", "name": "N", "short": "S" * 16, "alias": "A",
         "badges": [f"desfire:{n:014X}"]}
        for n in range(120)
    ]  # fmt: skip
    site = parse(json.dumps(described).encode())
    assert len(agents_of(site, card_key=CARD_KEY)[1]) < station_config.CONFIG_LIMIT
    station_config.check_sizes(site)
