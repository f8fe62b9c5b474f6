"""`diadema pin`: asked twice without an echo, or read from a pipe; written into a description."""

import getpass
import json
import warnings

import pytest
from diadema.base.errors import DiademaError
from diadema.cli.site import example
from diadema.site.file import with_pin
from typer.testing import CliRunner

from tests.support.pins import verify_pin

PIN = "142536"


@pytest.fixture
def run():
    from diadema.cli.main import app

    def invoke(*arguments, given=PIN + "\n"):
        return CliRunner().invoke(app, ["pin", *map(str, arguments)], input=given)

    return invoke


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "site.json"
    path.write_text(example(), encoding="utf-8")
    return path


def pins(file):
    return {
        agent["id"]: agent.get("pin") for agent in json.loads(file.read_text("utf-8"))["agents"]
    }


def test_a_script_gets_the_verifier_and_nothing_else(run):
    done = run("e001", "--stdin")
    assert done.exit_code == 0
    assert verify_pin(PIN, done.stdout.strip())
    assert PIN not in done.output


def test_the_site_has_the_pin_and_else_what_it_had(run, file):
    before = json.loads(file.read_bytes())
    file.chmod(0o640)
    assert run("e002", "--stdin", "--site", file).exit_code == 0
    assert verify_pin(PIN, pins(file)["e002"])
    before["agents"][1]["pin"] = pins(file)["e002"]
    assert json.loads(file.read_bytes()) == before and "Mañana" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o640
    again = run("e002", "--stdin", "--site", file, given="612345\n")
    assert verify_pin("612345", pins(file)["e002"])
    assert "612345" not in again.output + file.read_text("utf-8")
    assert pins(file)["e001"] == before["agents"][0]["pin"]


@pytest.mark.parametrize(
    "text",
    [
        '{"agents":[{"id":"e001"}]}',
        '{"agents":[{"pin":"","id":"e001"}]}',
        '{"agents":[{"id":"e000","pin":"ab"},{"id":"e001","pin":"ab"}]}',
        '{"playbooks":[{"id":"e001"}],"agents":[{"name":"Ñ", "id" : "e001" , "short":"x"}]}',
        '{"agents":[{"\\u0069d":"e001"}]}',
    ],
)
def test_only_her_own_pin_changes(text):
    made = json.loads(with_pin(text, "e001", "0f:1e", "site.json"))
    wanted = json.loads(text)
    wanted["agents"][-1]["pin"] = "0f:1e"
    assert made == wanted


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "not JSON"), (b"\xff", "not JSON"), (b"[]", "names no agent"), (None, "cannot read")],
)
def test_a_file_that_is_no_site_is_refused_before_anything_is_asked(run, file, content, reason):
    file.unlink() if content is None else file.write_bytes(content)
    done = run("e001", "--stdin", "--site", file, given="")
    assert isinstance(done.exception, DiademaError)
    assert reason in str(done.exception)


@pytest.mark.parametrize("given", ["111111\n", "14253\n", "", "142536 \n"])
def test_what_is_refused_changes_nothing(run, file, given):
    before = file.read_bytes()
    done = run("e001", "--stdin", "--site", file, given=given)
    assert isinstance(done.exception, DiademaError)
    assert file.read_bytes() == before
    assert given.strip() not in str(done.exception) or not given


def test_it_is_asked_twice(run, monkeypatch):
    answers = iter([PIN, PIN, PIN, "142535", "123456"])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    assert verify_pin(PIN, run("e001", given="").stdout.strip())
    assert "not the same" in str(run("e001", given="").exception)
    assert "take another" in str(run("e001", given="").exception)
    assert not [*answers]


def test_without_a_terminal_it_says_how(run, monkeypatch):
    def no_terminal(prompt):
        warnings.warn("echo", getpass.GetPassWarning, stacklevel=1)
        return PIN

    monkeypatch.setattr(getpass, "getpass", no_terminal)
    assert "use --stdin" in str(run("e001", given="").exception)
