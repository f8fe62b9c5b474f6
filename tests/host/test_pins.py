"""PINs: what is refused, what is kept, and what a forger gets wrong."""

import hashlib

import pytest
from diadema.base.errors import DiademaError
from diadema.site import pins

from tests.support.pins import verify_pin

PIN = "142536"
SALT = bytes(range(8))


@pytest.mark.parametrize("pin", ["", "14253", "1425361", "142537", "042536", "14253a", "142536\n"])
def test_what_is_no_pin(pin):
    with pytest.raises(DiademaError, match="six digits, each from 1 to 6"):
        pins.make_verifier(pin)
    assert not verify_pin(pin, pins.make_verifier(PIN))


@pytest.mark.parametrize("pin", ["111111", "666666", "123456", "654321"])
def test_what_anybody_would_try_first(pin):
    with pytest.raises(DiademaError, match="take another"):
        pins.make_verifier(pin)


def test_the_verifier_is_as_a_station_computes_it():
    made = hashlib.pbkdf2_hmac("sha256", PIN.encode(), SALT, 1000)[:16]
    assert pins.make_verifier(PIN, SALT) == f"{SALT.hex()}:{made.hex()}"


def test_only_the_pin_itself_is_right():
    verifier = pins.make_verifier(PIN)
    assert verify_pin(PIN, verifier)
    assert not verify_pin("142535", verifier)
    assert not verify_pin(PIN, "")
    assert not verify_pin(PIN, verifier[:-1] + ("0" if verifier[-1] != "0" else "1"))


def test_the_same_pin_is_never_kept_the_same():
    assert pins.make_verifier(PIN) != pins.make_verifier(PIN)
