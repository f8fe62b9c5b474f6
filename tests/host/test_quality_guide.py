"""«Monitor de calidad», command by command, of a centre whose desk of quality answers."""

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from diadema.base.paths import default_root
from diadema.cli import main
from typer.testing import CliRunner

from tests.host.web.conftest import nats_server
from tests.support.quality_stage import QualityStage
from tests.support.web_stage import Hub

__all__ = ["nats_server"]  # a fixture

README = Path(__file__).parents[2] / "host_tools" / "README.md"
HEADING = "### Monitor de calidad · quality monitor"
AFTER = (2026, 11, 30, 10, 30)


def commands() -> list[list[str]]:
    guide = README.read_text("utf-8").partition(f"\n{HEADING}\n")[2].partition("\n### ")[0]
    lines = re.findall(r"^    (diadema .*)$", guide, re.MULTILINE)
    return [shlex.split(line.partition("  #")[0])[1:] for line in lines]


async def does(*words: str) -> str:
    """In a thread: what it asks the hub, this one answers."""
    done = await asyncio.to_thread(CliRunner().invoke, main.app, [*words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.output


async def test_each_command_of_the_guide_is_typed_in_its_order(
    nats_server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (account, publish_notices, template, import_items, publish, draw, show, export, verify,
     report, document) = commands()  # fmt: skip
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    hub = await Hub.open(nats_server.url)
    await hub.client.close()  # the stage answers in its place
    stage = QualityStage(tmp_path / "stage", nats_server.url)
    default_root().symlink_to(stage.data.root)
    client = await stage.listen()
    try:
        stage.clock.set(1_795_100_000_000, 0)  # a week before
        assert "luz.paz" in await does(*account)
        for side in ("caller", "agent"):
            stage.put("notices", code=side, name=side, side=side, text="Esta llamada se oye.")
        await does(*publish_notices)
        assert {one["notice"] for one in stage.asked} == {"caller", "agent"}
        stage.sign("agent")
        await does(*template)
        await does("people", "export", "scorecard_items", "-o", "items.csv")
        await does(*import_items)
        await does(*publish)
        stage.plan("semanal")
        stage.at(2026, 11, 23)
        stage.week(3)
        stage.at(2026, 11, 30, 0, 30)  # the clock has not drawn it yet
        said = await does(*draw)
        found = re.search(r"\b[0-9a-z]{12}\b", said)
        assert found, said
        made = [[found[0] if one == "0a1b2c3d4e5f" else one for one in words]
                for words in (show, export)]  # fmt: skip
        assert "a001" in await does(*made[0])
        await does(*made[1])
        stage.data.hub.unlink()  # none runs where it is checked
        assert found[0] in await does(*verify)
        assert "calidad" in " ".join(report)
        assert await does(*report)
        await does(*document)
        assert (tmp_path / document[-1]).read_bytes().startswith(b"%PDF")
    finally:
        await client.close()
        stage.close()
