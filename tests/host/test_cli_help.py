"""The help of `diadema`: groups, one line for each command, an example in each that works, and
completion by the shell.

An example runs in a scratch directory where that needs nothing but files; where it needs a hub, a
board on a cable or a long time, Click parses it as it would at the shell.
"""

import os
import re
import shlex
import subprocess
import sys

import pytest
from diadema.base.credentials import load_or_create
from diadema.cli import main
from diadema.cli.run import RunFirst
from diadema.quality.frame import Frame, hash_of
from diadema.quality.sample_file import listed, sample_of, write_sample
from diadema.quality.sampling import SamplePeriod, draw
from diadema.site.directory.quality import SamplePlan
from diadema.words import LANGUAGES, section
from typer.testing import CliRunner

from tests import commands
from tests.support.bank_files import Log
from tests.support.command_line import COMMANDS, ROOT, parse
from tests.support.queue_logs import QueueLog
from tests.support.reported_day import stations
from tests.support.scripted_station import SITE
from tests.support.stock_image import stock_image

NORTE = SITE | {"agents": [SITE["agents"][0] | {"team": "Norte"}, SITE["agents"][1]]}


NEEDS_A_HUB = {
    "hub", "gateway", "enrol", "mosquitto", "keys renew-ca", "update start", "update status",
    "update stop", "update resume", "standby allow", "standby run", "standby take-over",
    "standby reclaim", "fleet rename", "fleet move", "fleet retire", "fleet revoke",
    "switch status", "switch run", "quality sample draw", "quality notices sign",
}  # fmt: skip
NEEDS_A_BOARD = {"flash", "provision", "selftest run", "prove run", "update cable", "update again"}
NEEDS_A_RECORD = {
    "prove table", "selftest show", "selftest check", "selftest key", "import journal",
}  # fmt: skip
NEEDS_TIME = {"demo", "desk", "sim", "replay", "torture", "update bundle", "update inspect"}
NEEDS_A_TERMINAL = {"pin", "people pin"}
OF_THE_MACHINE = {"service install", "service status", "service remove"}
NEEDS_A_RECEIVER = {"mail test", "webhook test"}
NEEDS_A_SWITCH = {"switch setup", "switch check"}
NEEDS_A_DRAW = {"quality sample show", "quality sample export"}
NEEDS_RECORDINGS = {f"recordings {verb}" for verb in ("check", "scan", "status", "expired")}
PARSED = (
    NEEDS_A_HUB
    | NEEDS_A_RECEIVER
    | NEEDS_A_SWITCH
    | NEEDS_RECORDINGS
    | NEEDS_A_DRAW
    | NEEDS_A_BOARD
    | NEEDS_A_RECORD
    | NEEDS_TIME
    | NEEDS_A_TERMINAL
    | OF_THE_MACHINE
)
AFTER = {  # what has to be typed before
    "account disable": ["account add"], "account reset": ["account add"],
    "keys show": ["keys make"], "keys install": ["keys make"],
    "image inspect": ["image build"], "people import": ["people export"],
    "report schedule remove": ["report schedule add"], "mail deny": ["mail allow"],
    "backup check": ["backup run"], "restore": ["backup run"],
    "resume": ["backup run", "restore"],
    "backup unschedule": ["backup schedule"],
    "webhook on": ["webhook add"], "webhook remove": ["webhook add"],
    "account provider show": ["account provider set"],
    "account provider remove": ["account provider set"],
}  # fmt: skip


def example_of(name):
    last = COMMANDS[name].help.strip().split("\n\n")[-1]
    found = re.fullmatch(r"Example: diadema (.+)", " ".join(last.split()))
    assert found, f"the help of `diadema {name}` does not end with an example"
    return shlex.split(found[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_each_example_is_of_its_command_and_is_understood(name):
    assert parse(example_of(name)) == name


def test_what_only_is_parsed_is_there():
    assert COMMANDS.keys() >= PARSED


def write_draw(path):
    plan, period = SamplePlan(code="P1", label="", scorecard="F1"), SamplePeriod("w", 0, 1, 7, 0)
    rows, secret = [f"DIA-0123456789ab,7,{n},a001,".encode() for n in (1, 2, 3)], bytes(32)
    drawn = draw(plan, rows, secret)
    about = sample_of("d", plan, 1, period, secret, Frame(rows, hash_of(rows), {}), drawn)
    with path.open("wb") as file:
        write_sample(file, about, rows, listed(drawn))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A data directory with a day in it, and the files that examples name."""
    data = stations(tmp_path / "data", site=NORTE)
    monkeypatch.chdir(tmp_path)
    Log().agent(3600, "LUCUMA", wait=5, talk=60).write(tmp_path / "calls.tsv")
    (tmp_path / "secret.txt").write_text("of the client\n")
    (tmp_path / "stock.bin").write_bytes(stock_image())
    QueueLog().call(3600, "1.1").write(tmp_path / "queue_log")
    write_draw(tmp_path / "muestra.zip")
    (tmp_path / "copias").mkdir()
    (tmp_path / "frase").write_text("cinco palabras que nadie adivina\n")
    (tmp_path / "frase").chmod(0o600)
    load_or_create(data)  # as a hub does at its first start
    monkeypatch.setattr("diadema.base.paths.default_root", lambda: data.root)
    return tmp_path


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - PARSED))
def test_each_example_that_needs_only_files_runs(name, place):
    if name == "account disable":  # not of the last administrator, whom the first account is
        first = ["account", "add", "jefa", "--role", "admin"]
        assert CliRunner().invoke(main.app, first).exit_code == 0
    for each in [*AFTER.get(name, []), name]:
        done = CliRunner().invoke(main.app, example_of(each))
        assert done.exit_code in (0, 1), (each, done.output, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == 0 or each in {"ledger check", "rebuild", "doctor"}, done.output


def test_help_has_groups_and_a_line_for_each_command():
    done = CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(main.app, ["--help"])
    lines = done.output.splitlines()
    at = [next(i for i, line in enumerate(lines) if f" {panel} " in line) for panel in main.PANELS]
    assert at == sorted(at)
    for number, (panel, verbs) in enumerate(main.PANELS.items()):
        end = at[number + 1] if number + 1 < len(at) else len(lines)
        rows = [line.strip("│ ").split("  ")[0] for line in lines[at[number] + 1 : end - 1]]
        assert [row for row in rows if row and row[0] not in "╰╭"] == [*verbs], panel


def test_version_is_that_of_the_package_and_of_the_firmware():
    from importlib.metadata import version

    from diadema.stations.image.files import program_version

    done = CliRunner().invoke(main.app, ["--version"])
    assert done.output.split() == ["diadema", version("diadema"), "firmware", program_version()]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("diadema rep", {"report", "replay"}),
        ("diadema report ", {"day", "week", "month", "schedule"}),
        ("diadema report month --thr", {"--threshold"}),
    ],
)
def test_a_shell_completes_what_was_begun(typed, offered):
    words = shlex.split(typed) + ([""] if typed.endswith(" ") else [])
    of_the_shell = {
        "_DIADEMA_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "diadema"],
        env=os.environ | of_the_shell,
        capture_output=True,
        text=True,
        check=True,
    )
    assert offered == set(done.stdout.split())


def test_the_guide_has_every_command():
    assert commands.up_to_date() == ""
    made = commands.made()
    assert made.count("\n| `") == len(COMMANDS)
    assert "| `backup run FILE` | `--passphrase-file` | Copy databases" in made
    assert "| `account token [NAME]` |" in made and "`gateway PORT…`" in made


# -- what sentences tell people to type


def sentences(language):
    """Each command that the catalogue of a language names, with the key of its sentence."""
    return [
        (key, shlex.split(typed))
        for area in ("commands", "errors")
        for key, sentence in section(area, language).items()
        for typed in re.findall(r"`diadema ([^`{][^`]*)`", sentence)
    ]


def names_a_command(words):
    """Whether its verbs and its options are there."""
    command = ROOT
    while words and hasattr(command, "commands"):
        if words[0] in command.commands:
            command, words = command.commands[words[0]], words[1:]
        elif isinstance(command, RunFirst):
            command = command.commands["run"]
        else:
            return False
    known = {name for param in command.params for name in param.opts}
    return all(word.partition("=")[0] in known for word in words if word.startswith("-"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_command_that_a_sentence_names_is_there(language):
    named = sentences(language)
    assert len(named) > 80
    assert [(key, words) for key, words in named if not names_a_command(words)] == []
    assert not names_a_command(["backup", "schedule", "X", "--at-night"])
    assert not names_a_command(["fleet", "lists"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_to_restore_a_backup_is_told_a_command_that_can_be_typed(language):
    restore = {key: words for key, words in sentences(language) if words[0] == "restore"}
    assert all(parse(words) == "restore" for words in restore.values())
    asks = re.compile(r"restore .*backup|restaure .*copia|restáur[a-z]+ de una copia")
    told = {
        key
        for area in ("commands", "errors")
        for key, sentence in section(area, language).items()
        if asks.search(sentence)
    }
    assert len(told) >= 7
    assert told - restore.keys() == set()
