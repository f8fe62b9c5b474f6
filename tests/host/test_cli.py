"""The command line: what a script can rely on, and exit codes."""

import json
import subprocess
import sys

import jsonschema
import pytest
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.site.badges import keys_of
from diadema.wire import schema

from tests.support.bank_files import Log
from tests.support.scripted_station import SITE


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `diadema` with these arguments here; gives (exit code, output, errors)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["diadema", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            code = end.code or 0
        else:
            code = 0
        return code, *capsys.readouterr()

    return call


def test_help_names_the_commands():
    command = [sys.executable, "-m", "diadema", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for name in ("hub", "gateway", "schema", "site", "import"):
        assert f" {name} " in done.stdout


def test_the_command_itself_is_light():
    heavy = ("sqlalchemy", "nats", "nicegui", "fastapi", "aiomqtt", "serial", "msgspec")
    code = f"import sys, diadema.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_schema_is_what_the_library_says(run):
    code, printed, _ = run("schema")
    assert code == 0
    assert json.loads(printed) == schema.event_schema()
    jsonschema.Draft202012Validator.check_schema(json.loads(printed))
    assert json.loads(run("schema", "--asyncapi")[1]) == schema.asyncapi()


def test_site_is_checked_and_stored(run, tmp_path):
    file, data = tmp_path / "new.json", tmp_path / "data"
    file.write_text(json.dumps(SITE))
    assert run("site", file, "--check", "--data", data)[0] == 0
    assert not data.exists()
    code, printed, _ = run("site", file, "--data", data, "--json")
    told = {"stations": 2, "agents": 2, "differences": [], "generation": None}
    assert (code, json.loads(printed)) == (0, told)
    stored = json.loads((data / "site.json").read_text())
    kept = keys_of(DataDir(data)).stored(SITE["agents"][0]["badges"][0])
    agents = [SITE["agents"][0] | {"badges": [kept]}, SITE["agents"][1]]
    assert stored == SITE | {"agents": agents}
    file.write_text(json.dumps(SITE | {"ring_limit_s": 1}))
    code, _, said = run("site", file, "--data", data)
    assert code == 2
    assert "ring_limit_s" in said
    assert json.loads((data / "site.json").read_text()) == stored


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["site", "missing.json"], "cannot read"),
        (["gateway", "x", "--name", "A/B"], "lower-case"),
        (["hub", "--host", "0.0.0.0"], "--host"),
        (["hub", "--port", "many"], "--port"),
        (["hub", "--mqtt-port", "65536"], "--mqtt-port"),
    ],
)
def test_what_cannot_begin_ends_with_2(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    if "--data" not in arguments:
        arguments = [*arguments, "--data", tmp_path]
    code, _, errors = run(*arguments)
    assert code == 2
    assert said in errors
    assert list(tmp_path.iterdir()) == []


def test_a_site_is_named_as_the_person_named_it(run, tmp_path):
    file = tmp_path / "centro.json"
    file.write_text("{")
    code, _, said = run("site", file, "--check")
    assert (code, said.startswith(f"diadema: {file}: it is not JSON")) == (2, True)
    file.write_text(json.dumps(SITE | {"zone": "Lima"}))
    assert f"{file}, zone: 'Lima' is no time zone" in run("site", file, "--check")[2]


def test_the_example_of_a_site_is_right_as_it_stands(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, _ = run("site", "example")
    assert code == 0
    file = tmp_path / "site.json"
    file.write_text(printed)
    told = json.loads(run("site", file, "--check", "--json")[1])
    assert told == {"stations": 2, "agents": 2, "differences": [], "generation": None}


_INTERRUPTED = """
import os, signal, sys, weakref

signal.signal(signal.SIGINT, signal.default_int_handler)  # what begins in the background has none

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)

class AtImport:
    def find_spec(self, name, path, target=None):
        if name == at and where == "called back":
            here = lambda: None
            gone = weakref.ref(here, interrupt)
            del here
        elif name == at:
            interrupt()

at, where = sys.argv.pop(1), sys.argv.pop(1)
sys.meta_path.insert(0, AtImport())
from diadema.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("at", "arguments"),
    [
        ("typer", ["site", "example"]),
        ("diadema_sim.cli", ["--help"]),
        ("diadema.cli.site", ["site", "example"]),
    ],
)
@pytest.mark.parametrize("where", ["import", "called back"])
def test_ctrl_c_while_it_begins_is_no_traceback(at, where, arguments):
    command = [sys.executable, "-c", _INTERRUPTED, at, where, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_import_says_what_it_took_and_what_it_refused(run, tmp_path):
    data, log = tmp_path / "data", Log().agent(3600, "LUCUMA", wait=5, talk=60)
    code, printed, _ = run(
        "import", "anonymous-bank", log.write(tmp_path / "a.tsv"), "--data", data, "--json"
    )
    done = json.loads(printed)
    assert (code, done["imported"], done["new"], done["zone"]) == (0, True, 3, "UTC")
    bad = log.row(7200, "LOST").write(tmp_path / "b.tsv")
    code, printed, _ = run("import", "anonymous-bank", bad, "--data", data)
    assert code == 1
    assert "line 3: column outcome: 'LOST'" in printed and "Nothing was imported" in printed
    code, _, said = run("import", "anonymous-bank", bad, "--data", data, "--zone", "Lima")
    assert code == 2 and "no time zone" in said
