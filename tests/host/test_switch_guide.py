"""«Conectar la central», command by command, against an exchange that answers."""

import re
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from diadema.access import Accounts
from diadema.base import credentials
from diadema.base.paths import default_root
from diadema.cli import main
from diadema.site.description import RING_LIMIT_S
from diadema.switch import settings as stored
from diadema.switch.asterisk.files import timeout_of
from typer.testing import CliRunner

from tests.support.answering_asterisk import answering, site_with_phones, typed

README = Path(__file__).parents[2] / "host_tools" / "README.md"
HEADING = "### Conectar la central · connect the switch"


def guide():
    return README.read_text("utf-8").partition(f"\n{HEADING}\n")[2].partition("\n### ")[0]


def commands():
    lines = re.findall(r"^    (diadema .*)$", guide(), re.MULTILINE)
    return [shlex.split(line.partition("  #")[0])[1:] for line in lines]


def does(*words):
    done = CliRunner().invoke(main.app, [*words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


@pytest.fixture
def shown(monkeypatch):
    """What the hub shows of its bridge."""

    async def ask_hub(data, subject, body):
        report = {"name": "central", "up": True}
        return {"switch": {"up": True, "age_s": 1.0, "report": report}}

    monkeypatch.setattr("diadema.wire.ask_hub.ask_hub", ask_hub)


def test_each_command_of_the_guide_is_typed_in_its_order(tmp_path, monkeypatch, shown):
    config, setup, check, status, run, remove, token = commands()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    data = site_with_phones(default_root())
    with answering() as its:
        its.phones["PJSIP/102"] = "auto"
        said = does(*config)
        its.secrets = dict(credentials.load(data).exchange)
        dialplan = (tmp_path / "central" / "extensions_diadema.conf").read_text()
        assert "Goto(internos,700,1)" in dialplan and "central/ari_diadema.conf" in said
        assert does(*setup, *typed(its))
        assert stored.read(data).host == "127.0.0.1"
        assert "PJSIP/101" in does(*check)
        assert "central" in does(*status)
        with closing(Accounts(data)) as accounts:
            said = does(*token).split()
            assert any(accounts.tokens.person(one, "") for one in said), "it is shown"
        its.logged_in.clear()
        bridge = subprocess.Popen(
            [sys.executable, "-m", "diadema", *run], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert its.logged_in.wait(300)
        bridge.stdin.close()  # as Ctrl-C would
        assert bridge.wait(300) == 0
        does(*remove)
    assert stored.read(data) is None and credentials.load(data).exchange == {}


def test_the_guide_names_what_the_files_are_included_by():
    text = guide()
    for name in ("manager", "extensions"):
        assert f"`{name}_custom.conf`" in text
    assert "`ari_additional_custom.conf`" in text and "[ventas](diadema-cola)" in text


@pytest.mark.parametrize("where", [0, 1, 2])
def test_the_table_has_each_file_that_is_written_and_where_the_command_says(where, tmp_path):
    rows = [
        line.strip(" |").split(" | ")
        for line in guide().splitlines()
        if "_diadema.conf` |" in line
    ]
    places = {re.match(r"`(\w+\.conf)`", row[0])[1]: row[1:] for row in rows}
    data = site_with_phones(tmp_path / "data")
    said = does("--lang", "es", "switch", "config", "asterisk", "--out", str(tmp_path / "c"),
                "--data", str(data.root))  # fmt: skip
    assert places.keys() == {one.name for one in (tmp_path / "c").iterdir()}
    line = next(
        one for one in said.splitlines()
        if one.startswith(("En Asterisk solo", "En FreePBX", "En Issabel")[where])
    )  # fmt: skip
    named = [re.findall(r"\w+\.conf", row[where]) for row in places.values()]
    assert [one for names in named for one in names] == re.findall(r"\w+\.conf", line)


def test_it_says_what_a_queue_needs_and_what_is_not_built():
    text = guide()
    assert f"*Agent Timeout* {timeout_of(RING_LIMIT_S)} o más" in text
    for name in (
        "Issabel (dialerd, ECCP)",
        "VICIdial",
        "predictivos",
        "fotochecks",
        "5039",
        "8089",
    ):
        assert name in text
