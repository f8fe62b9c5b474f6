"""The stations' keys: made once, kept close, and a seal that only their holder can make."""

import hmac
import json

import pytest
from diadema.base.errors import DiademaError
from diadema.site.station_keys import StationKeys, seal

from tests.support.scripted_station import S

OTHER = "DIA-0123456789ac"
ACK = b'{"ack":[7,12]}'


def test_a_key_is_made_once(tmp_path):
    path = tmp_path / "keys.json"
    keys = StationKeys(path)
    assert keys.of(S) is None
    assert keys.seal(S, 3, ACK) == ACK
    assert not path.exists()
    keys.make([S])
    first = keys.of(S)
    keys.make([S, OTHER])
    assert (len(first), keys.of(S)) == (32, first)
    again = StationKeys(path)
    assert (again.of(S), again.of(OTHER)) == (first, keys.of(OTHER))
    assert keys.of(OTHER) != first
    assert oct(path.stat().st_mode)[-3:] == "600"


def test_the_seal_is_the_last_member_over_station_boot_and_text():
    key = bytes(range(32))
    sealed = seal(key, S, 3, ACK)
    body, _, tail = sealed.rpartition(b',"h":"')
    mark = hmac.new(key, b"DIA-0123456789ab\n3\n" + ACK, "sha256").hexdigest()[:16]
    assert (body + b"}", tail) == (ACK, mark.encode() + b'"}')
    assert json.loads(sealed) == json.loads(ACK) | {"h": mark}
    others = {seal(key, OTHER, 3, ACK), seal(key, S, 4, ACK), seal(bytes(32), S, 3, ACK)}
    assert len(others | {sealed}) == 4


@pytest.mark.parametrize("content", [b"", b"[]", b'{"DIA-0123456789ab":"zz"}', b'{"a":1}'])
def test_keys_that_cannot_be_read_are_not_made_anew(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DiademaError, match="backup"):
        StationKeys(path)
    assert path.read_bytes() == content


def test_keys_that_others_may_read_are_refused(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("{}")
    path.chmod(0o640)
    with pytest.raises(DiademaError, match="chmod 600"):
        StationKeys(path)


def test_what_a_station_was_last_shown_to_hold_stays_known(tmp_path):
    """However many were sent since; also where an older version wrote the file."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({S: {"key": "11" * 32, "sent": True, "before": "00" * 32}}))
    path.chmod(0o600)
    keys = StationKeys(path)
    for _ in range(20):
        keys.renew(S)
        keys.mark_sent(S)
    last = keys.of(S)
    keys = StationKeys(path)
    assert keys.before(S)[0] == bytes(32) and len(keys.before(S)) <= 8
    assert (keys.of(S), last in keys.before(S)) == (last, False)
    keys.renew(S)  # that one is not sent
    keys.renew(S)
    assert keys.before(S)[0] == bytes(32) and keys.before(S)[-1] == last
    keys.shown(S, last)
    assert StationKeys(path).before(S)[:2] == [last, bytes(32)]
    keys.shown(S, keys.of(S))
    keys = StationKeys(path)
    assert keys.before(S) == [] and keys.sent(S)
    assert json.loads(path.read_bytes()) == {S: keys.of(S).hex()}


def test_the_seal_is_by_the_key_that_the_station_holds(tmp_path):
    keys = StationKeys(tmp_path / "keys.json")
    keys.make([S])
    first = keys.of(S)
    keys.shown(S, first)
    keys.renew(S)
    assert keys.seal(S, 3, ACK) == seal(first, S, 3, ACK)
    keys.mark_sent(S)
    assert keys.seal(S, 3, ACK, giving=True) == seal(first, S, 3, ACK)
    assert keys.seal(S, 3, ACK) == seal(keys.of(S), S, 3, ACK)
    assert keys.seal(S, 3, ACK, held=first) == seal(first, S, 3, ACK)
