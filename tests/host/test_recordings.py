"""Recordings: found, linked to calls and never by a guess, and what of them is sent."""

import array
import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import diadema
import pytest
from diadema.access import Accounts
from diadema.cli import main
from diadema.cli.run import Run
from diadema.recordings import decoder, decoding, playing, settings
from diadema.recordings.playing import Refused
from diadema.store import open_reader
from typer.testing import CliRunner

from tests.support import targeted
from tests.support.recorded_calls import (
    CALLER,
    NOW,
    RATE,
    Centre,
    by_sox,
    header_of,
    hum,
    needs_voices,
    old,
    part,
    samples_of,
    spoken,
    voices,
    wav,
)
from tests.support.scripted_station import T0, Script

PBX = "1795000000.1"
START = 60_000
DOUBT_MS = 550  # of these stations' clocks and the switch's events


@pytest.fixture
def centre(tmp_path):
    return Centre(tmp_path)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else; the processor's own limit stays."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)


def heard(centre, key):
    """The plan, the samples and the peaks of what may be sent of it."""
    with (
        open_reader(centre.data.store) as reader,
        centre.index() as index,
        decoding.Decoders() as decoders,
    ):
        plan = playing.plan(reader, index, key)
        samples, size = array.array("h"), 0
        while size < plan.size:
            begin, sound = part(decoders, plan, f"bytes={size}-")
            assert begin == size
            samples.frombytes(sound)
            size += len(sound)
        return plan, samples, playing.peaks(decoders, plan)


def silent(samples, first, last):
    return not any(samples[round(first * RATE) : round(last * RATE)])


def refused(centre, key):
    with pytest.raises(Refused) as told:
        heard(centre, key)
    return told.value.reason


def one_call(centre, seconds=30, pauses=(), late=0, silences=(), of=None):
    """A call with a recording that begins `late` ms after it rang; `silences` of the file in
    seconds since then.
    """
    centre.call(centre.station(), START, seconds, PBX, pauses)
    centre.recorded(PBX, START + late, START + seconds * 1000)
    shifted = [(first - late / 1000, last - late / 1000) for first, last in silences]
    sound = spoken(seconds - late / 1000, of or hum(), shifted)
    return centre.file(sound, START + late, PBX)


@needs_voices
def test_a_recorder_that_began_late_is_linked_by_the_call_id(centre):
    file = one_call(centre, 30, [(10, 20)], late=3000, silences=[(10, 20)], of=voices())
    found = centre.scan()
    (link,) = found.linked
    assert not found.missing
    assert (link.call, link.agent, link.how) == (centre.key(), "a001", "pbx")
    assert (link.offset_ms, link.ms, link.rate, link.channels) == (3000, 27_000, RATE, 1)
    assert (link.format, link.pauses) == ("WAV PCM_16", "respected")
    assert link.hash == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not centre.scan().linked  # nothing is said twice


@needs_voices
def test_a_pause_that_the_recorder_did_not_respect_is_sent_as_zeros(centre):
    """By the found offset and by offset zero, each wider by the uncertainty and a second."""
    file = one_call(centre, 40, [(15, 20)], late=3000, of=voices())
    (link,) = centre.scan().linked
    assert link.pauses == "not"
    assert link.uncertainty_ms == pytest.approx(DOUBT_MS, abs=5)
    _, samples, peaks = heard(centre, centre.key())
    whole = samples_of(file)
    wider = 1 + link.uncertainty_ms / 1000
    assert silent(samples, 12 - wider, 20 + wider)  # 15 - 3 s in the file, and 15 s
    before, after = round((12 - wider) * RATE), round((20 + wider) * RATE)
    assert samples[:before] == whole[:before]
    assert samples[after:] == whole[after:]
    (side,) = peaks
    of_second = len(side) / (len(samples) / RATE)
    assert max(side[round(11.5 * of_second) : round(20.5 * of_second)]) == 0
    assert max(side[: round(9 * of_second)]) > 20


@needs_voices
@pytest.mark.parametrize(
    ("extension", "how", "form"),
    [
        ("WAV", ["-t", "wav", "-e", "gsm-full-rate"], "WAV GSM610"),
        ("ogg", ["-t", "ogg"], "OGG VORBIS"),
        ("wav", ["-e", "a-law"], "WAV ALAW"),
        ("wav", ["-e", "mu-law"], "WAV ULAW"),
        ("flac", [], "FLAC PCM_16"),
    ],
)
def test_other_formats_are_heard_with_the_same_zeros(centre, extension, how, form):
    file = one_call(centre, 30, [(10, 20)], silences=[(10, 20)], of=voices())
    by_sox(file, extension, how)
    (link,) = centre.scan().linked
    assert (link.format, link.pauses) == (form, "respected")
    _, samples, _ = heard(centre, centre.key())
    assert silent(samples, 10 - 1.5, 20 + 1.5)
    assert max(samples[: 8 * RATE]) > 2000


@needs_voices
def test_a_clock_that_runs_200_ppm_slow_moves_no_pause_out_of_its_zeros(centre):
    minutes = 20
    file = one_call(centre, minutes * 60, [(1100, 1110)], silences=[(1100, 1110)], of=voices())
    by_sox(file, "wav", effects=["speed", "0.9998"])
    (link,) = centre.scan().linked
    assert link.ms == pytest.approx(minutes * 60_000 * 1.0002, abs=2)
    assert link.pauses == "respected"
    plan, samples, _ = heard(centre, centre.key())
    assert silent(samples, 1100, 1110.25)  # by 222 ms later there than the station said
    assert plan.start_ms == 0


def test_of_a_call_handed_over_each_agent_s_part_alone_is_heard(centre):
    first, second = centre.station("a001"), centre.station("a002")
    centre.call(first, START, 60, PBX, [(20, 25)], "c1", end_by="transfer")
    centre.call(second, START + 61_000, 59, PBX, [(3, 8)], "c2")
    centre.recorded(PBX, START, START + 120_000)
    file = centre.file(spoken(120, hum()), START, PBX)
    found = centre.scan()
    assert {(one.agent, one.offset_ms) for one in found.linked} == {
        ("a001", 0), ("a002", -61_000),
    }  # fmt: skip
    whole = samples_of(file)
    plan, samples, _ = heard(centre, centre.key("c1"))
    assert plan.frames == (0, 65 * RATE)
    assert samples[:RATE] == whole[:RATE]
    assert silent(samples, 20, 25)
    assert silent(samples, 64, 65)  # the other's pause begins 3 s into that part, less 1.55 s
    plan, samples, _ = heard(centre, centre.key("c2", 1))
    assert plan.frames == (56 * RATE, 120 * RATE)
    assert plan.start_ms == 5000
    assert samples[: 5 * RATE] == whole[56 * RATE : 61 * RATE]
    assert silent(samples, 8, 13)
    assert samples[20 * RATE :] == whole[76 * RATE :]


def test_one_that_was_cut_is_heard_where_no_pause_can_have_moved(centre):
    """What is lacking may lack anywhere: the uncertainty is as large as what is lacking."""
    file = one_call(centre, 40)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    old(file)
    (link,) = centre.scan().linked
    assert link.ms == pytest.approx(20_000, abs=10)
    assert link.uncertainty_ms == pytest.approx(20_000 + DOUBT_MS, abs=10)
    _, samples, _ = heard(centre, centre.key())
    assert samples == samples_of(file)[: len(samples)]


def test_one_that_was_cut_is_not_heard_with_a_pause_that_nobody_can_place(centre):
    file = one_call(centre, 60, [(10, 20)])
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    old(file)
    (link,) = centre.scan().linked
    assert link.pauses == "unknown"
    assert refused(centre, centre.key()) == "pauses"


def test_one_that_was_cut_is_heard_where_its_own_silence_fits(centre):
    file = one_call(centre, 60, [(10, 20)], silences=[(10, 20)])
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 9 // 10])  # of a minute 6 s
    old(file)
    (link,) = centre.scan().linked
    assert link.pauses == "respected"
    assert link.uncertainty_ms > 3000
    _, samples, _ = heard(centre, centre.key())
    assert silent(samples, 3, 27)  # 10 to 20 s, and 7.5 s to each side


def test_without_an_id_it_is_linked_by_agent_and_start(centre):
    centre.call(centre.station(), START, 30)
    centre.file(spoken(29, hum()), START + 2000)
    (link,) = centre.scan().linked
    assert (link.how, link.offset_ms, link.pauses) == ("hour", 2000, "none")
    assert link.uncertainty_ms >= 5000


@pytest.mark.parametrize(("start", "seconds"), [(START + 9000, 28), (START + 2000, 24)])
def test_one_that_began_elsewhen_or_is_of_another_length_is_of_no_call(centre, start, seconds):
    centre.call(centre.station(), START, 30)
    centre.file(spoken(seconds, hum()), start)
    found = centre.scan()
    assert not found.linked
    assert [one.reason for one in found.missing] == ["no_call_id"]


def test_of_two_that_would_fit_none_is_taken(centre):
    centre.call(centre.station(), START, 30)
    one = centre.file(spoken(29, hum()), START + 1000)
    centre.file(spoken(28.5, hum()), START + 4000)
    found = centre.scan()
    assert not found.linked
    assert [one.reason for one in found.missing] == ["ambiguous"]
    assert refused(centre, centre.key()) == "none"
    one.unlink()  # nor when one of them is gone
    assert not centre.scan().linked


def test_one_that_fits_two_calls_is_of_neither(centre):
    """Five seconds after the one was answered, and five before the other one rang."""
    station = centre.station()
    centre.call(station, START, 6, wrap=1000)
    centre.call(station, START + 9000, 4, c="c2")
    centre.file(spoken(4, hum()), START + 5000)
    found = centre.scan()
    assert not found.linked
    assert [one.reason for one in found.missing] == ["ambiguous", "ambiguous"]


def test_a_second_one_that_comes_later_takes_the_link_back(centre):
    centre.call(centre.station(), START, 30)
    centre.file(spoken(29, hum()), START + 1000)
    assert [one.how for one in centre.scan().linked] == ["hour"]
    centre.file(spoken(28.5, hum()), START + 4000)
    assert [one.reason for one in centre.scan().missing] == ["ambiguous"]


def test_a_call_whose_events_are_lost_may_have_been_paused(centre):
    one_call(centre, 30, [(10, 12)])
    station = centre.stations[0]
    at = next(k for k, body in enumerate(station.bodies) if b"recording_paused" in body)
    lost = json.loads(station.bodies[at])
    station.bodies[at] = json.dumps(lost | {"k": 7}).encode()  # a dead letter
    (link,) = centre.scan().linked
    assert link.pauses == "unknown"
    assert refused(centre, centre.key()) == "pauses"


@pytest.mark.parametrize("seconds", [33, 70])
def test_one_without_an_hour_is_played_where_no_other_agent_can_be_in_it(centre, seconds):
    """The call may have gone on with somebody of whom nothing came in yet."""
    centre.settings = settings.Settings(folders=centre.settings.folders, pattern="{pbx}")
    centre.call(centre.station(), START, 30, PBX)
    path = centre.file(spoken(seconds, hum()), START, PBX)
    path = path.rename(path.with_name(f"{PBX}.wav"))
    os.utime(path, ns=((T0 + START + seconds * 1000) * 1_000_000,) * 2)
    (link,) = centre.scan().linked
    assert link.offset_ms is None
    if seconds == 33:
        _, samples, _ = heard(centre, centre.key())
        assert len(samples) > 32 * RATE
    else:
        assert refused(centre, centre.key()) == "whose"


def test_an_unsure_clock_needs_the_recording_s_own_silence(centre):
    centre.call(centre.station(doubt_ms=6000), START, 40, PBX, [(10, 20)])
    centre.recorded(PBX, START, START + 40_000)
    centre.file(spoken(40, hum(), [(13, 23)]), START, PBX)
    (link,) = centre.scan().linked
    assert link.pauses == "respected"
    _, samples, _ = heard(centre, centre.key())
    assert silent(samples, 3, 27)


# -- files that are not as they should be


def gsm_of_zero_hertz(path):
    path.write_bytes(header_of(0))


def hostile(path):
    """Tags that claim to be larger than anything, and others without an end."""
    content = header_of(RATE)
    tag = b"LIST" + (0xFFFFFFF0).to_bytes(4, "little") + b"INFOINAM" + b"\xff" * 8 + b"%s%n\0"
    path.write_bytes(content[:12] + tag + content[12:])


def sparse(path):
    with path.open("wb") as file:
        file.write(header_of(RATE))
        file.truncate(2 << 30)


BAD = {
    "empty": ("empty", lambda path: path.write_bytes(b"")),
    "header alone": ("empty", lambda path: path.write_bytes(header_of(RATE)[:44])),
    "truncated in its header": ("no_sound", lambda path: path.write_bytes(header_of(RATE)[:20])),
    "no sound at all": ("no_sound", lambda path: path.write_bytes(b"#!/bin/sh\n" * 99)),
    "of 0 Hz": (None, gsm_of_zero_hertz),
    "2 GB": ("too_large", sparse),
    "hostile tags": (None, hostile),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_counted_and_never_linked(centre, what):
    reason, make = BAD[what]
    file = one_call(centre)
    make(file)
    old(file)
    found = centre.scan()
    with centre.index() as index:
        (known,) = index.files()
        counts = index.counts()
    assert not found.linked
    assert [one.reason for one in found.missing] == ["no_file"]
    assert known.state in ((reason,) if reason else ("no_sound", "rate", "empty", "broken"))
    assert (counts["unfit"], counts["orphan"], counts["missing"]) == (1, 0, 1)


def test_one_that_grows_waits_until_it_is_whole(centre):
    file = one_call(centre)
    content = file.read_bytes()
    file.write_bytes(content[:9000])
    old(file, NOW - 5000)
    assert not centre.scan().linked
    with centre.index() as index:
        assert index.counts()["writing"] == 1
    file.write_bytes(content)
    old(file, NOW - 4000)
    assert not centre.scan().linked
    (link,) = centre.scan(NOW + 60_000).linked
    assert link.ms == 30_000


def test_one_that_is_written_to_after_it_was_linked_is_not_sent(centre):
    file = one_call(centre)
    centre.scan()
    with file.open("ab") as more:
        more.write(b"\1" * 8000)
    assert refused(centre, centre.key()) == "changed"


def test_a_renamed_one_is_of_the_call_of_its_first_name(centre):
    file = one_call(centre)
    station = centre.stations[0]
    centre.call(station, station.u + 1000, 30, "1795000000.9", c="c2")
    centre.scan()
    renamed = file.with_name(centre.name(START + 40_000, "1795000000.9"))
    file.rename(renamed)
    assert not centre.scan().linked
    assert heard(centre, centre.key())[0].file.found.path.endswith(renamed.name)
    shutil.copy2(renamed, renamed.with_name("moved"))  # another inode
    renamed.unlink()
    old(renamed.with_name("moved").rename(renamed), NOW - 3000_000)
    assert not centre.scan().linked
    heard(centre, centre.key())
    assert refused(centre, centre.key("c2")) == "none"


def test_a_copy_under_the_name_of_another_call_is_linked_to_nothing(centre):
    file = one_call(centre)
    station = centre.stations[0]
    start = station.u + 1000
    centre.call(station, start, 30, "1795000000.9", c="c2")
    centre.scan()
    old(shutil.copy(file, file.with_name(centre.name(start, "1795000000.9"))))
    assert not centre.scan().linked
    with centre.index() as index:
        assert index.counts()["copy"] == 1


def test_a_link_out_of_the_folder_is_not_followed(centre):
    file = one_call(centre)
    outside = centre.folder / "outside.wav"
    file.rename(outside)
    file.symlink_to(outside)
    assert not centre.scan().linked
    with centre.index() as index:
        assert index.files() == []


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_became_a_link_after_it_was_linked_is_not_sent(centre, what):
    file = one_call(centre)
    centre.scan()
    path = file if what == "file" else file.parent
    away = path.rename(centre.folder / "away")
    path.symlink_to(away)
    assert refused(centre, centre.key()) == "gone"


def test_while_a_folder_is_gone_nothing_is_missing_and_what_was_linked_stays(centre):
    file = one_call(centre)
    station = centre.stations[0]
    centre.call(station, station.u + 1000, 30, "1795000000.9", c="c2")
    centre.scan()
    away = centre.root.rename(centre.folder / "unmounted")
    found = centre.scan()
    assert (found.linked, found.missing, found.absent) == ([], [], [str(centre.root)])
    assert refused(centre, centre.key()) == "gone"
    away.rename(centre.root)
    assert not centre.scan().linked
    assert len(heard(centre, centre.key())[1]) == len(samples_of(file))


def test_a_range_past_the_end_is_none(centre):
    one_call(centre)
    centre.scan()
    plan, samples, _ = heard(centre, centre.key())
    whole, size = samples.tobytes(), 30 * RATE * 2
    assert (plan.size, plan.rate, plan.sides) == (size, RATE, 1)
    with decoding.Decoders() as decoders:
        for wanted, first, end in (
            ("bytes=101-199", 101, 200),
            ("bytes=-10", size - 10, size),
            (f"bytes={size - 3}-{10**12}", size - 3, size),
            ("", 0, size),
        ):
            assert part(decoders, plan, wanted) == (first, whole[first:end])
        for bad in (f"bytes={size}-", "bytes=-0", "bytes=9-3", "bytes=-"):
            with pytest.raises(playing.PastEnd):
                part(decoders, plan, bad)


def test_two_sides_have_peaks_of_their_own(centre):
    one_call(centre).unlink()
    both = array.array("h", (value for at in range(30 * RATE) for value in (12_000, 0)))
    old(wav(centre.root / centre.name(START, PBX), both, sides=2))
    centre.scan()
    plan, samples, peaks = heard(centre, centre.key())
    assert plan.sides == 2
    assert [{*side} for side in peaks] == [{12_000 >> 7}, {0}]
    assert samples == both


@needs_voices
@pytest.mark.parametrize("extension", ["WAV", "ogg"])
def test_of_a_slow_codec_the_waveform_is_kept_and_shows_no_more_than_is_sent(centre, extension):
    file = one_call(centre, 30, [(10, 20)], of=voices())  # the recorder did not respect it
    by_sox(file, extension, ["-t", "wav", "-e", "gsm-full-rate"] if extension == "WAV" else [])
    centre.scan()
    plan, samples, (kept,) = heard(centre, centre.key())
    assert plan.wave and len(kept) == 300
    for tenth, loudest in enumerate(kept):
        sent = samples[tenth * RATE // 10 : (tenth + 1) * RATE // 10]
        assert loudest in (0, min(max(map(abs, sent)) >> 7, 255))
    assert not any(kept[85:215]) and max(kept[:80]) > 50
    with centre.index() as index:  # nor longer than the recording
        index.changed(plan.file.id, plan.file.found, "deleted")
        assert not index.wave(plan.file.id)


def test_a_decoder_that_takes_too_long_is_ended(centre, monkeypatch):
    file = one_call(centre)
    monkeypatch.setattr(decoding, "_WALL_S", 0.0)
    with (
        decoding.Decoders() as decoders,
        file.open("rb") as opened,
        pytest.raises(decoding.Unfit) as told,
    ):
        decoders.probe(opened.fileno())
    assert told.value.reason == "too_slow"


def test_the_decoder_has_its_limits_before_it_loads_what_reads(centre):
    """Of what a hostile file could use up: memory, processor, the disk."""
    said = (
        f"import sys, runpy; m = runpy.run_path({decoder.__file__!r}); m['limit'](); "
        "import resource as r; print([r.getrlimit(x)[1] for x in "
        "(r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE)], 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", said], capture_output=True, check=True)
    assert done.stdout.decode().strip() == f"[{1 << 30}, 20, 0, 0] False"


def test_numpy_and_what_decodes_are_loaded_in_that_process_alone():
    found = {}
    for path in Path(diadema.__file__).parents[1].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in getattr(node, "names", ()) if hasattr(one, "name")]
            names += [getattr(node, "module", None) or ""]
            if {"numpy", "soundfile"} & {name.partition(".")[0] for name in names}:
                found.setdefault(path.name, node)
    assert [*found] == ["decoder.py"]


# -- the command


@pytest.fixture
def command(centre):
    def call(*words, code=0):
        done = CliRunner().invoke(
            main.app, ["--lang", "es", "recordings", *words, "--data", str(centre.data.root)]
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        assert CALLER not in done.output
        return done.output

    return call


def test_the_commands_say_what_there_is_and_never_a_name(centre, command):
    one_call(centre)
    centre.store()
    folder = str(centre.root)
    assert folder in command("setup", "--folder", folder, "--zone", "America/Lima",
                             "--link", "https://grabador.example/{pbx}")  # fmt: skip
    assert "1 de 1 archivos" in command("check")
    os.utime(next(centre.root.rglob("*.wav")), (1, 1))
    found = json.loads(command("scan", "--json"))
    assert [one["call"] for one in found["linked"]] == [list(centre.key())]
    assert found["linked"][0]["pauses"] == "none"
    assert "Unidas por el número de llamada de la central: 1" in command("status")
    shutil.rmtree(centre.root)
    for verb in ("scan", "status", "check"):
        assert folder in command(verb, code=1)


def test_what_cannot_be_worked_with_is_not_stored(centre):
    centre.store()
    for bad in (
        settings.Settings(pattern="*-{date}-{time}"),
        settings.Settings(pattern="{pbx}-{pbx}"),
        settings.Settings(pattern="{pbx}-{phone}"),
        settings.Settings(zone="Lima"),
        settings.Settings(link="http://grabador.example/{pbx}"),
        settings.Settings(link="https://grabador.example/"),
        settings.Settings(folders=["monitor"]),
    ):
        with pytest.raises(settings.DiademaError):
            settings.write(centre.data, bad)
    assert settings.read(centre.data) is None


def test_what_is_due_is_deleted_by_the_mandante_s_word_alone(centre, command, monkeypatch):
    file = one_call(centre)
    station = centre.stations[0]
    start = station.u + 1000
    centre.call(station, start, 20, "1795000000.9", c="c2")
    other_file = centre.file(spoken(20, hum()), start, "1795000000.9")
    later = station.u + 1000
    centre.call(station, later, 25, "1795000000.11", c="c3")
    opened_file = centre.file(spoken(25, hum()), later, "1795000000.11")
    hub = Script(s="HUB-main")
    hub.offset = T0
    hub.add("recording.held", call=centre.key("c2"), reason="Reclamo 7", by="calidad")
    hub.add(
        "case.opened", case="6f9a01c2d4e5", a="a001", call=centre.key("c3"), number="RH-12",
        reason="queja", until=T0 + 60 * 86_400_000, by="calidad",
    )  # fmt: skip
    centre.stations.append(hub)
    centre.store()
    centre.scan()
    command("setup", "--folder", str(centre.root))
    targeted.put(
        centre.data, "settings", code="site", site="Centro", zone="America/Lima", retention_days=30
    )
    targeted.put(centre.data, "queues", code="compras", name="Compras", retention_days=400)
    monkeypatch.setattr(Run, "now_ms", property(lambda _: T0 + 29 * 86_400_000))
    assert json.loads(command("expired", "--json"))["due"] == []
    monkeypatch.setattr(Run, "now_ms", property(lambda _: T0 + 31 * 86_400_000))
    due = json.loads(command("expired", "--json"))["due"]
    assert [one["calls"] for one in due] == [[list(centre.key())]]  # the others are held
    with pytest.raises(settings.DiademaError):
        command("expired", "--delete")
    assert file.exists()
    command("setup", "--instruction", "Carta 12-2026")
    assert json.loads(command("expired", "--delete", "--json"))["deleted"] == 1
    assert (file.exists(), other_file.exists(), opened_file.exists()) == (False, True, True)
    monkeypatch.setattr(Run, "now_ms", property(lambda _: T0 + 61 * 86_400_000))
    due = json.loads(command("expired", "--json"))["due"]
    assert [one["calls"] for one in due] == [[list(centre.key("c3"))]], "its case is over"
    accounts = Accounts(centre.data)
    try:
        (row,) = [one for one in accounts.audit.rows() if one.what == "recordings.delete"]
    finally:
        accounts.close()
    assert row.detail["document"] == "Carta 12-2026"
    assert row.detail["calls"] == ["/".join(map(str, centre.key()))]
    assert refused(centre, centre.key()) == "gone"
