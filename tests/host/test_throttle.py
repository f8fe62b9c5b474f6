"""Waits between attempts: they are for who guesses, and end; no clock and no stranger stretches
them for anybody else.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from diadema.access import Accounts
from diadema.access.throttle import FREE, LONGEST_MS, Throttle
from diadema.base.paths import DataDir

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


class Time:
    def __init__(self) -> None:
        self.ms = 1_795_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def throttle(tmp_path: Path, time: Time) -> Iterator[Throttle]:
    accounts = Accounts(DataDir(tmp_path), time)
    yield accounts.throttle
    accounts.close()


def fail(throttle: Throttle, count: int, **whose: str) -> int:
    """The last wait of so many wrong attempts, each as soon as it may be."""
    wait = 0
    for _ in range(count):
        wait = throttle.attempt(**whose)
    return wait


def test_one_slip_a_day_never_makes_anybody_wait(throttle: Throttle, time: Time) -> None:
    mine = {"account": "ana", "address": "127.0.0.1"}
    for _ in range(60):
        assert throttle.attempt(**mine) == 0
        time.ms += 5_000
        assert throttle.attempt(**mine) == 0
        throttle.passed(**mine)
        time.ms += 60_000
        colleague = {"account": "luis", "address": "127.0.0.1"}
        assert throttle.attempt(**colleague) == 0
        throttle.passed(**colleague)
        time.ms += DAY - 65_000


def test_many_right_logins_of_one_address_count_nothing(throttle: Throttle, time: Time) -> None:
    for at in range(500):
        mine = {"account": f"a{at % 50}", "address": "10.0.0.1"}
        assert throttle.attempt(**mine) == 0
        throttle.passed(**mine)
        time.ms += 1000
    assert fail(throttle, FREE["address"], address="10.0.0.1") == 0
    assert throttle.attempt(address="10.0.0.1") > 0


def test_right_logins_between_do_not_keep_failures_alive(throttle: Throttle, time: Time) -> None:
    fail(throttle, FREE["address"], address="10.0.0.1")
    for _ in range(24):
        time.ms += 30 * MINUTE
        assert throttle.attempt(address="10.0.0.1") == 0
        throttle.passed(address="10.0.0.1")
    assert fail(throttle, FREE["address"] - 1, address="10.0.0.1") == 0


@pytest.mark.parametrize("ahead_ms", [40 * DAY, 3 * 3_600_000, 365 * DAY])
def test_a_clock_that_was_ahead_makes_nobody_wait_longer(
    throttle: Throttle, time: Time, ahead_ms: int
) -> None:
    mine = {"account": "ana", "address": "127.0.0.1"}
    time.ms += ahead_ms
    assert throttle.attempt(**mine) == 0
    throttle.passed(**mine)
    fail(throttle, 40, account="ana", address="10.9.9.9")
    time.ms -= ahead_ms
    assert 0 <= throttle.attempt(**mine) <= LONGEST_MS
    time.ms += LONGEST_MS
    assert throttle.attempt(**mine) == 0


def test_who_goes_on_guessing_goes_on_waiting(throttle: Throttle, time: Time) -> None:
    tries, end = 0, time.ms + DAY
    while time.ms < end:
        wait = throttle.attempt(account="ana", address="10.0.0.66")
        tries += wait == 0
        time.ms += max(wait, 1)
    assert tries < 130


def test_strangers_do_not_lock_a_device_that_is_known(throttle: Throttle) -> None:
    fail(throttle, 40, account="ana", address="127.0.0.66")
    assert throttle.attempt(account="ana", address="127.0.0.9") > 0
    assert throttle.attempt(device="d1") == 0
    throttle.passed(device="d1")
    assert fail(throttle, FREE["device"] + 1, device="d1") > 0
