"""The stations' keys: made once, kept close, and a seal that only their holder can make."""

import hmac
import json

import pytest
from diadema.errors import DiademaError
from diadema.station_keys import StationKeys, seal
from scripted_station import S

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
