"""`diadema selftest` with a played station: the steps as they come, the verdict, and the record
printed, checked and altered.
"""

import asyncio
import contextlib
import json
import subprocess

import pytest
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.stations.selftest.run import Console, Step
from typer.testing import CliRunner

from tests.host.test_ingest_service import Play
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import T0, S, Script

CHECKS = {"codec": "ok", "keys": "failed", "microphone": "ok", "badge_uid": "ok"}

pytestmark = pytest.mark.usefixtures("site_language")


@pytest.fixture
async def play(broker, stack, tmp_path):
    """The hub's parts, and a station of theirs that is there with nobody logged in."""
    broker.write_hub()
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(T0, 0)
    await stack.enter_async_context(IngestProcess(broker, clock))
    return await stack.enter_async_context(Play(broker))


async def there(play, script):
    await play.hello(script)
    await play.send(script)
    await play.acked(script)
    return script


async def command(broker, *words, code=0, at_command=None):
    line = ["selftest", *words, "--data", str(broker.data.root)]
    running = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, line))
    if at_command is not None:
        await at_command()
    done = await running
    refused = isinstance(done.exception, DiademaError)  # which the entry point says, with 2
    assert (2 if refused else done.exit_code) == code, (done.output, done.exception)
    return done.output + (str(done.exception) if refused else "")


def answering(broker, play, script, k="station.selftest", **fields):
    async def answer():
        known = len([one for _, one in play.commands if one["cmd"] == "selftest"])
        asked = await until(lambda: _nth(play, known))
        with broker.data.log(S).open("a") as log:
            log.write("selftest: keys 1\nother text\nselftest: keys 1 failed\nselftest: badge uid")
            log.flush()
            log.write("\nselftest: badge uid ok\n")
        script.add(k, i=asked["i"], **fields)
        await play.send(script, first=script.n)

    return answer


def _nth(play, known):
    asked = [one for _, one in play.commands if one["cmd"] == "selftest"]
    return asked[known] if len(asked) > known else None


def result(**fields):
    return {"bench": True, "fit": False, "reason": "keys", "checks": CHECKS, **fields}


async def test_a_test_is_followed_recorded_printed_and_checked(
    broker, play, tmp_path, system_program
):
    script = await there(play, Script().boot().clock())
    broker.data.log(S).write_text("selftest: screen ok\n")  # of long ago
    answer = answering(broker, play, script, **result())
    said = await command(broker, "A-01", "--by", "Ana", code=1, at_command=answer)
    lines = said.splitlines()
    assert lines[0].startswith(f"Autoprueba de A-01 ({S})")
    assert lines[1:5] == [
        "Tecla 1: presiónela.",
        "Tecla 1: falló",
        "Fotocheck de 13.56 MHz (UID): acérquelo al lector.",
        "Fotocheck de 13.56 MHz (UID): bien",
    ]
    assert lines[5] == "A-01: NO OPERATIVA: Teclas."
    assert "Revise los cables de las teclas" in lines[6]

    answer = answering(broker, play, script, **result(fit=True, checks={"keys": "ok"}))
    told = json.loads(await command(broker, "run", S, "--json", at_command=answer))
    assert (told["record"]["fit"], told["record"]["by"], told["standing"]) == (
        True, "diadema", "right",
    )  # fmt: skip

    paper, file = tmp_path / "out.pdf", tmp_path / "out.json"
    shown = await command(broker, "show", "A-01", "-o", str(paper))
    assert "A-01: OPERATIVA." in shown and "Firma correcta, de este servidor" in shown
    every = await command(broker, "show", "A-01", "--all", "-o", str(paper))
    assert "NO OPERATIVA" in every
    reader = system_program("pdftotext", "poppler-utils")
    text = await asyncio.to_thread(subprocess.check_output, [reader, "-layout", paper, "-"])
    pages = text.decode().split("\f")[:-1]
    assert len(pages) == 2 and "NO OPERATIVA" in pages[1] and "Ana" in pages[1]
    assert "Firma correcta" in pages[0]
    await command(broker, "show", "A-01", "-o", str(file))
    assert "Firma correcta" in await command(broker, "check", str(file))
    public = tmp_path / "hub.pub"
    key = await command(broker, "key", "-o", str(public))
    assert key.startswith(public.read_text().strip())
    file.write_bytes(file.read_bytes().replace(b'"diadema"', b'"Eva"'))
    altered = await command(broker, "check", str(file), "--key", str(public), code=1)
    assert "LA FIRMA NO ES CORRECTA" in altered
    file.write_text("{}")
    assert "not a record" in await command(broker, "check", str(file), code=2)


async def test_what_cannot_be_is_said_with_what_to_do(broker, play):
    script = Script().boot().clock()
    assert "`diadema provision`" in await command(broker, "Z-99", code=2)
    assert "--port" in await command(broker, "A-01", code=2)
    assert "hágala con" in await command(broker, "show", "A-01", code=2)
    assert "has signed no record yet" in await command(broker, "key", code=2)
    await there(play, script)
    answer = answering(broker, play, script, "command.refused", command="selftest", reason="busy")
    assert "está ocupada" in await command(broker, "A-01", code=2, at_command=answer)
    hidden = await command(broker, "A-01", "--by", "x\x1b[0m", code=2)
    assert "El nombre tiene U+001B, que no se ve" in hidden
    await there(play, script.login())
    assert "En A-01 tiene sesión a001" in await command(broker, "A-01", code=2)
    broker.data.hub.unlink()
    assert "inicie `diadema hub`" in await command(broker, "A-01", code=2)
    assert "--port" in await command(broker, "--by", "Ana", code=2)


def test_steps_are_read_as_they_come(tmp_path):
    path = tmp_path / "log"
    path.write_text("selftest: keys 1\n")
    console = Console(path)
    assert [*console.steps()] == []
    with path.open("a") as log:
        log.write("boot\r\nselftest: lights\r\nselftest: lights skip")
    assert [*console.steps()] == [Step("lights", "", None)]
    with path.open("a") as log:
        log.write("ped\nselftest: badge em ok\nselftest: nothing of ours\nselftest: keys 2\n")
    assert [*console.steps()] == [
        Step("lights", "", "skipped"), Step("badge", "em", "ok"), Step("keys", "2", None),
    ]  # fmt: skip
    path.write_text("selftest: screen failed\n")  # it was too long, and begun anew
    assert [*console.steps()] == [Step("screen", "", "failed")]
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    assert [*console.steps()] == []
