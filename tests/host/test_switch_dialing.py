"""What agents may dial: the site's patterns, and so many calls in an hour."""

import pytest
from diadema.base.credentials import Secrets
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.asterisk.files import NATIONAL
from diadema.switch.dialing import Guard
from diadema.switch.exchange import Known, Phone, SwitchError
from diadema.switch.settings import Settings

from tests.support.scripted_station import FixedClock

PHONE, OTHER = "PJSIP/101", "PJSIP/102"
HOUR_MS = 3_600_000


@pytest.mark.parametrize("number", ["987654321", "4567890", "044234567", "084234567", "014567890"])
def test_within_the_country_is_allowed(number):
    Guard(NATIONAL, 60, FixedClock().now_ms).take(PHONE, number)


@pytest.mark.parametrize(
    "number",
    ["0051987654321", "080812345", "080012345", "105", "98765432", "", "98765432\n", "９87654321",
     "987654321&PJSIP/x", "*98"],
)  # fmt: skip
def test_abroad_premium_and_what_is_no_number_is_not(number):
    with pytest.raises(SwitchError, match="allow"):
        Guard(NATIONAL, 60, FixedClock().now_ms).take(PHONE, number)


@pytest.mark.parametrize("pattern", ["[9", "9-X", "[]", "(9)", ""])
def test_a_pattern_that_no_dialplan_reads_allows_nothing(pattern):
    guard = Guard([pattern], 60, FixedClock().now_ms)
    for number in ("9", "", "91", "9-1"):
        with pytest.raises(SwitchError):
            guard.take(PHONE, number)


def test_a_pattern_that_ends_with_a_point_is_of_any_length():
    guard = Guard(["00[1-9]."], 60, FixedClock().now_ms)
    guard.take(PHONE, "0051987654321")
    for number in ("001", "000123"):
        with pytest.raises(SwitchError):
            guard.take(PHONE, number)


def test_of_each_telephone_so_many_go_out_in_an_hour():
    clock = FixedClock()
    guard = Guard(NATIONAL, 2, clock.now_ms)
    guard.take(PHONE, "987654321")
    clock.now += HOUR_MS // 2
    guard.take(PHONE, "987654321")
    with pytest.raises(SwitchError, match="2 calls"):
        guard.take(PHONE, "987654321")
    guard.take(OTHER, "987654321")
    clock.now += HOUR_MS // 2  # the first of them is an hour old
    guard.take(PHONE, "987654321")
    with pytest.raises(SwitchError):
        guard.take(PHONE, "987654321")


async def test_the_exchange_is_not_even_asked_for_what_may_not_be():
    settings = Settings(allowed=["9XXXXXXXX"], hourly=0)
    secrets = Secrets(host="", gateway="", api="", badge_key="00" * 32)
    heard = []
    exchange = Asterisk(settings, secrets, heard.append, FixedClock(), Known())
    for number in ("105", "987654321"):  # the second is one too many
        with pytest.raises(SwitchError, match="--a"):
            await exchange.dial("c1", Phone(PHONE), number)
    assert heard == []
