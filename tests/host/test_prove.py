"""`diadema prove` with a station that tells the truth, and with those that lie."""

import asyncio
import copy
import json

import pytest
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.gateway.serial_port import SerialPort
from diadema.stations import signing
from diadema.stations.prove.figures import KINDS, figures, wrong
from diadema.stations.prove.run import measure
from diadema_sim import people
from typer.testing import CliRunner

from tests.support.lying_station import KEY, LyingStation, S

ALL = {kind.name for kind in KINDS}

pytestmark = pytest.mark.usefixtures("site_language")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A technician's: a site of one station, and its key. The cable's bytes are few."""
    monkeypatch.setattr("diadema.stations.prove.run.FLOOD", 512)
    monkeypatch.setattr("diadema.stations.prove.run._DRAINED_S", 0.05)
    data = DataDir(tmp_path / "data")
    data.make()
    site = people.site(people.desks(1), name="Sitio", zone="America/Lima", tree=people.LIMA_TREE)
    site["stations"][0]["id"] = S
    data.site.write_text(json.dumps(site))
    data.keys.write_text(json.dumps({S: KEY.hex()}))
    data.keys.chmod(0o600)
    return data


async def command(data, *words, code=0):
    line = ["prove", *words, "--data", str(data.root)]
    done = await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, app, line)
    refused = isinstance(done.exception, DiademaError)  # which the entry point says, with 2
    assert (2 if refused else done.exit_code) == code, (done.output, done.exception)
    return done.output + (str(done.exception) if refused else "")


async def proved(data, station, *words, code=0):
    return await command(data, "--port", station.port, *words, code=code)


def told_wrong(output):
    """Figures by name that the command says something of after its table."""
    return {line.partition(":")[0] for line in output.splitlines() if ": " in line}


def changed(value, change):
    """Every number in it that was measured."""
    if isinstance(value, dict):
        return {key: changed(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [changed(one, change) for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return change(value)


def of(step, answer, change):
    """All that is measured in an answer, by `change`."""
    kept = {key: answer[key] for key in ("i", "step", "dips_ms", "start") if key in answer}
    return {**changed(answer, change), **kept}


async def test_the_truth_is_told_signed_and_printed(data, tmp_path):
    file = tmp_path / "A-01.json"
    async with LyingStation() as station:
        said = await proved(data, station, "-o", str(file), "--by", "ANA")
    assert "Tecla 1: presiónela" in said and "FUERA" not in said and str(file) in said
    assert said.count("bien") >= len(ALL) - 1
    record = json.loads(file.read_bytes())
    assert {one["name"] for one in record["proof"]["figures"]} == ALL | {"board", "build"}
    assert (record["proof"]["by"], record["proof"]["s"]) == ("ANA", S)
    table = await command(data, "table", str(file))
    assert table.startswith(f"**lyrat_v4_3**, {S}, program 0.1.0, MicroPython 1.28.0, ")
    assert "| Key → light, the slowest | 10 ms | ≤ 20 ms |" in table
    assert table.count("\n| ") == len(ALL) + 2 + 2 + 24 + 2  # and memory after each step
    assert "| PIN | 4 006 944 B | 136 303 B | 110 592 B | 130 767 B |" in table
    assert "| Tecla → luz" in await command(data, "table", str(file), "--language", "es")
    as_json = data.proofs / f"{S}.json"
    async with LyingStation() as station:
        told = json.loads(await proved(data, station, "--json"))
    assert told == json.loads(as_json.read_bytes())
    assert told["key"] == signing.load(data).public


async def test_nothing_is_sent_that_is_not_sealed_and_no_number_twice(data):
    async with LyingStation() as station:
        await proved(data, station)
        await proved(data, station)
    numbers = [one["i"] for one in station.asked]
    assert station.foreign == 0 and numbers == sorted({*numbers})
    steps = [one["step"] for one in station.asked]
    assert [*dict.fromkeys(steps)] == [
        "about", "start", "flash", "count", "key", "badge", "pin", "hear", "noise", "badges",
        "pulled", "radio", "dips", "end",
    ]  # fmt: skip


WORSE = {
    "heap": 1 / 3, "idf": 1 / 3, "idf_largest": 1 / 3, "gc_free": 1 / 3, "idf_least": 1 / 3
}  # fmt: skip


def three_times_worse(step, answer):
    memory = {name: round(value * WORSE[name]) for name, value in answer["memory"].items()}
    return {**of(step, answer, lambda value: value * 3), "memory": memory, "text": answer["text"]}


async def test_one_that_is_three_times_worse_in_everything(data):
    async with LyingStation(three_times_worse) as station:
        said = await proved(data, station, code=1)
    file = json.loads((data.proofs / f"{S}.json").read_bytes())
    right = {one["name"] for one in file["proof"]["figures"] if one["verdict"] == "ok"}
    # of which it told nothing else; of two badges none is none
    assert right == {"board", "build", "lost", "dips", "starts", "two"}
    for line in (
        "Tecla → luz, la más lenta: FUERA DE LO PREVISTO (20 ms)",
        "Tecla → pantalla, la más lenta: LENTA",
        "Arranque: lista: FUERA DE LO PREVISTO (3 000 ms)",
        "PSRAM: NO ES DE ESTA PLACA",
        "Borrar un sector, el más lento: LENTA",
        "Conexión TLS con el servidor: LENTA",
    ):
        assert line in said


@pytest.mark.parametrize("change", [lambda value: None, lambda value: -value - 1])
async def test_one_that_tells_nothing_or_less_than_nothing(data, change):
    async with LyingStation(lambda step, answer: of(step, answer, change)) as station:
        await proved(data, station, code=1)
    file = json.loads((data.proofs / f"{S}.json").read_bytes())
    right = {one["name"] for one in file["proof"]["figures"] if one["verdict"] == "ok"}
    assert right <= {"board", "build", "starts"} | ({"lost"} if change(1) else set())


# where each figure is told: step, and the way down from there
PLACES = {
    "psram": ("about", "psram"), "loaded": ("about", "loaded"), "heap": ("pin", "memory", "heap"),
    "idf": ("pin", "memory", "idf"), "idf_largest": ("pin", "memory", "idf_largest"),
    "erase": ("flash", "erase_us", 1), "read": ("flash", "read_us"),
    "begun": ("start", "stages", "begun"), "loaded_at": ("start", "stages", "loaded"),
    "started": ("start", "stages", "started"), "ready": ("start", "stages", "ready"),
    "hello": ("start", "stages", "hello"), "key_light": ("press4", "light_ms"),
    "key_screen": ("press4", "drawn_ms"), "badge": ("badge", "drawn_ms"),
    "pin": ("pin", "drawn_ms"), "pbkdf2": ("pin", "pbkdf2_ms"),
    "connection": ("radio", "opened_ms"), "dips": ("dips", "dips"),
    "tone_left": ("tone_left", "heard"), "tone_right": ("tone_right", "heard"),
    "voice": ("voice", "heard"), "line": ("line", "heard"), "noise": ("noise", "microphone"),
    "lying": ("lying", "taps"), "two": ("two", "taps"),
    "headset_gone": ("headset", "gone_ms"), "headset_back": ("headset", "back_ms"),
    "badge_reader_gone": ("badge_reader", "gone_ms"),
    "badge_reader_back": ("badge_reader", "back_ms"),
}  # fmt: skip
SMALLER_IS_WORSE = ("heap", "idf", "idf_largest")


@pytest.mark.parametrize("lie", ["three times", "missing", "less than nothing", "no number"])
async def test_each_lie_is_named_and_no_other(data, lie):
    async with LyingStation() as station:
        true, _ = await measure(data, station.port)
    assert {one.name for one in wrong(figures(true))} == set()
    # the command counts two itself; the LyraT has no line-out
    assert {*PLACES} == ALL - {"lost", "starts", "line_out"}
    for name, (step, *way, last) in PLACES.items():
        told = copy.deepcopy(true)
        place = told.steps[step]
        for key in way:
            place = place[key]
        if lie == "three times":
            if name in ("dips", "two"):
                continue  # three times none
            place[last] = round(place[last] * (1 / 3 if name in SMALLER_IS_WORSE else 3))
        elif lie == "missing" and isinstance(place, dict):
            del place[last]
        else:
            place[last] = {"missing": None, "less than nothing": -5, "no number": "5"}[lie]
        found = [one.name for one in wrong(figures(told))]
        assert name in found, (name, found)
        bounded = {"begun": {"loaded_at"}, "loaded_at": {"started"}, "psram": {"heap"},
                   "started": {"ready", "hello"}, "idf": {"idf_largest"},
                   "key_screen": {"key_light"}}  # fmt: skip
        assert {*found} <= {name} | bounded.get(name, set()), (name, found)


async def test_one_of_another_board(data):
    def lie(step, answer):
        if step == "about":
            answer |= {"board": "s3_korvo2", "build": "ESP32_GENERIC_S3", "psram": 8 << 20}
        return answer

    async with LyingStation(lie) as station:
        said = await proved(data, station, code=1)
    for name in ("Placa", "MicroPython", "PSRAM"):
        assert f"\n{name}: NO ES DE ESTA PLACA" in said


async def test_one_that_starts_anew_when_its_port_is_opened(data):
    async with LyingStation() as station:
        station.boots = [7, 7, 8, 9, *[9] * 3, 10]
        said = await proved(data, station, code=1)
    assert "Reinicios en diez aperturas del puerto: FUERA DE LO PREVISTO (0)" in said


async def test_one_that_loses_bytes(data):
    def lie(step, answer):
        station.lost += 3 * (step == "count")
        return answer

    async with LyingStation(lie) as station:
        said = await proved(data, station, code=1)
    assert "Bytes perdidos de 16 KiB seguidos por el cable: FUERA DE LO PREVISTO (0 B)" in said


async def test_an_answer_that_its_key_did_not_seal_is_not_believed(data, monkeypatch):
    monkeypatch.setattr("diadema.stations.prove.run._ANSWER_S", 3)
    for key in (None, bytes(32)):
        async with LyingStation() as station:
            station.key = key
            said = await proved(data, station, code=2)
        assert "que su clave no selló" in said


async def test_a_record_that_is_played_again_is_not_believed(data, monkeypatch):
    async with LyingStation() as station:
        await proved(data, station)
        recorded = [body for body in station.sent if b'"proof"' in body]
    monkeypatch.setattr("diadema.stations.prove.run._ANSWER_S", 3)

    def again(step, answer):
        for body in recorded:
            station.says(body)

    async with LyingStation(again) as station:
        said = await proved(data, station, code=2)
    assert "o a otra pregunta" in said


async def test_a_true_answer_among_forged_ones_counts_and_they_are_told(data):
    def lie(step, answer):
        station.says(json.dumps({"proof": {**answer, "psram": 0}}).encode())
        return answer

    async with LyingStation(lie) as station:
        said = await proved(data, station, code=1)
    assert "respuestas que su clave no selló" in said
    assert "PSRAM: " not in said


async def test_what_keeps_it_from_beginning_is_told_with_what_to_do(data, monkeypatch):
    async with LyingStation(lambda step, answer: {"i": answer["i"], "refused": "busy"}) as station:
        assert "está ocupada" in await proved(data, station, code=2)
        monkeypatch.setattr("diadema.stations.prove.run._ANSWER_S", 0.3)
        station.lie = lambda step, answer: None
        assert "no respondió a «about»" in await proved(data, station, code=2)
        data.keys.write_text("{}")
        assert "diadema provision" in await proved(data, station, code=2)
        assert "no está la clave" in await proved(data, station, code=2)
        station.safe = True
        assert "safe mode" in await proved(data, station, code=2)


async def test_another_program_has_the_port(data):
    async with LyingStation() as station:
        opened = asyncio.Event()
        line = SerialPort(station.port, opened.set, lambda _: None, lambda: None)
        running = asyncio.create_task(line.run())
        await opened.wait()
        try:
            assert "Otro programa usa" in await proved(data, station, code=2)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_step_that_nobody_does_is_missing_and_the_rest_is_told(data):
    async with LyingStation(
        lambda step, answer: {
            key: one for key, one in answer.items() if step != "key" or "ms" not in key
        }
    ) as station:
        said = await proved(data, station, code=1)
    assert "Tecla → luz, la más lenta: FALTA" in said
    assert "Fotocheck → pantalla: " not in said


async def test_a_brief_one_asks_nothing_of_what_hangs_on_the_station(data):
    async with LyingStation() as station:
        said = await proved(data, station, "--brief")
    assert not {"hear", "noise", "badges", "pulled"} & {one["step"] for one in station.asked}
    assert said.count("no se preguntó (--brief)") == 12 and "Tecla → luz" in said


async def test_where_there_is_no_network_its_figures_are_none_and_it_says_why(data):
    def lie(step, answer):
        if step == "radio":
            return {"i": answer["i"], "wifi": "not_configured", "memory": answer["memory"]}
        return answer

    async with LyingStation(lie) as station:
        said = await proved(data, station)
    assert said.count("su configuración no nombra Wi-Fi") == 2


async def test_a_record_that_was_altered_or_is_of_another_hub(data, tmp_path):
    file = tmp_path / "record.json"
    async with LyingStation() as station:
        await proved(data, station, "-o", str(file))
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"by": "diadema"', b'"by": "Eva"'))
    assert "LA FIRMA NO ES CORRECTA" in await command(data, "table", str(file), code=1)
    file.write_bytes(whole)
    other = DataDir(tmp_path / "other")
    other.make()
    public = tmp_path / "other.pub"
    public.write_text(signing.load_or_make(other).public)
    await command(data, "table", str(file), "--key", str(public), code=1)
    own = tmp_path / "own.pub"
    own.write_text(signing.load(data).public)
    assert "lyrat_v4_3" in await command(other, "table", str(file), "--key", str(own))
    file.write_text("{}")
    assert "not a record" in await command(data, "table", str(file), code=2)


async def test_what_a_station_calls_itself_does_no_harm(data, tmp_path):
    def lie(step, answer):
        if step == "about":
            answer |= {"firmware": "1|`\x1b[2J\u202e" + "x" * 70, "build": "|\x07|"}
        return answer

    file = tmp_path / "record.json"
    async with LyingStation(lie) as station:
        said = await proved(data, station, "-o", str(file), code=1)
    table = await command(data, "table", str(file))
    for text in (said, table):
        assert not {"\x1b", "\x07", "\u202e"} & {*text}
    assert {row.count("|") for row in table.splitlines() if row[:1] == "|"} == {7, 6}


def test_two_that_make_the_hub_s_key_at_once_have_the_same(data, monkeypatch):
    first = signing.load_or_make(data)
    looks = iter([lambda _: None])  # it was not there yet
    own = signing.load
    monkeypatch.setattr(signing, "load", lambda where: next(looks, own)(where))
    assert signing.load_or_make(data).public == first.public
    assert {path.name for path in data.root.iterdir()} >= {data.inspection_key.name}
    assert not [*data.root.glob(".*")]
