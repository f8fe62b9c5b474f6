"""Keys and bundles: what is made is right, what is not right is said."""

import json
import re
import stat

import pytest
from diadema.base.errors import UpdateError
from diadema.cli.main import app
from diadema.stations.boards.table import load_board
from diadema.stations.update import bundle, keys
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

MADE = 1_800_000_000
BODY = bytes(range(256)) * 8


@pytest.fixture(scope="session")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "updates.pem"
    keys.make(path)
    return path


@pytest.fixture(scope="session")
def key(key_file):
    return keys.load(key_file)


@pytest.fixture(scope="session")
def signed(key):
    return bundle.sign(BODY, key, board="sim", version="0.2.0", made=MADE)


def run(*arguments, **more):
    return CliRunner().invoke(app, [*map(str, arguments)], **more)


def test_a_key_is_its_owners_alone(key_file, tmp_path):
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    public = keys.load_public(keys.public_path(key_file))
    assert public == keys.load(key_file).public
    assert len(public.text) == 512  # as a station takes it
    copy = tmp_path / "open.pem"
    copy.write_bytes(key_file.read_bytes())
    copy.chmod(0o644)
    with pytest.raises(UpdateError, match="chmod 600"):
        keys.load(copy)
    with pytest.raises(UpdateError, match="there is a key"):
        keys.make(key_file)


def test_the_public_half_signs_nothing(key_file, tmp_path):
    with pytest.raises(UpdateError, match=rf"public half .* take {re.escape(str(key_file))}$"):
        keys.load(keys.public_path(key_file))
    other = tmp_path / "hub.key"
    other.write_bytes(keys.public_path(key_file).read_bytes())
    with pytest.raises(UpdateError, match="public half"):
        keys.load(other)


def test_a_key_with_a_passphrase_opens_with_it_only(tmp_path):
    path = tmp_path / "updates.pem"
    made = run("keys", "make", path, "--passphrase", input="abre\nabre\n")
    assert made.exit_code == 0, made.output
    assert b"ENCRYPTED" in path.read_bytes()
    with pytest.raises(keys.NeedsPassphrase):
        keys.load(path)
    with pytest.raises(UpdateError, match="passphrase right"):
        keys.load(path, "otra")
    assert keys.load(path, "abre").public.text in path.with_name("updates.pem.pub").read_text()


def test_a_bundle_says_what_it_is(signed, key):
    read = bundle.read(signed)
    assert read.manifest.board == "sim" and read.manifest.made == MADE
    assert read.body == BODY and read.by(key.public)
    parts = [read.part(number) for number in range(1, read.parts + 1)]
    assert [one["part"] for one in parts] == [*range(1, read.parts + 1)]
    assert {one["sha256"] for one in parts} == {read.sha256}


def test_another_key_did_not_sign_it(signed, tmp_path):
    other = keys.make(tmp_path / "other.pem")
    assert not bundle.read(signed).by(other)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_a_bundle_that_was_changed_is_never_a_right_one(signed, key, data):
    changed = bytearray(signed)
    at = data.draw(st.integers(0, len(signed) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UpdateError):
        if not bundle.read(bytes(changed)).by(key.public):
            raise UpdateError("not by the owner")


def test_what_is_cut_or_is_no_bundle_is_refused(signed):
    for wrong in (b"", b"{}\n", signed[:-1], signed + b"\0", b"{}\n\n", b"\xff" * 4000):
        with pytest.raises(UpdateError):
            bundle.read(wrong)


def test_the_command_makes_the_same_bundle_again_but_for_its_date(key_file, tmp_path):
    files = []
    for number in range(2):
        out = tmp_path / f"{number}.bundle"
        made = run("update", "bundle", "--board", "devkitc_wm8960", "--key", key_file,
                   "--made", MADE, "-o", out, "--json")  # fmt: skip
        assert made.exit_code == 0, made.output
        files.append(out.read_bytes())
    assert files[0] == files[1]
    read = bundle.read(files[0])
    assert read.manifest.version == bundle.program_version()
    board = load_board("devkitc_wm8960")
    assert read.manifest.board == board.name
    assert "start.mpy" in bundle.files_of(read) and "lib/app.mpy" in bundle.files_of(read)
    seen = run("update", "inspect", tmp_path / "0.bundle", "--key", f"{key_file}.pub", "--json")
    assert seen.exit_code == 0, seen.output
    told = json.loads(seen.output)
    assert told["signed"] is True and told["parts"] == read.parts
    assert told["files"]["board.mpy"] > 0


def test_inspect_says_when_another_signed_it(signed, tmp_path):
    file, other = tmp_path / "a.bundle", tmp_path / "other.pem"
    file.write_bytes(signed)
    keys.make(other)
    seen = run("update", "inspect", file, "--key", f"{other}.pub")
    assert seen.exit_code == 1
    assert "another key" in seen.output
