"""Whatever code the firmware can tell of its parts and its updates, people read words for it."""

import ast
from pathlib import Path

import pytest
from diadema.stations import trouble
from diadema.stations.boards.table import NEEDS_IMAGE
from diadema.wire.events.station import Part, StationBooted, StationUpdate
from diadema.words import LANGUAGES, section

FIRMWARE = Path(__file__).parents[2] / "firmware"
# by whom they are told, and in which argument
FAULTS = {"PartError": 1, "JournalError": 1, "BadRead": 0, "fault": 1}
RADIO = {  # of drivers/wifi.py and lib/links.py, which tell them by a table
    "wrong_password", "no_network", "other_security", "too_weak", "no_memory", "radio",
    "certificate", "refused", "tls", "no_name",
}  # fmt: skip
REASONS = {"UpdateError": 0, "_refuse": 3}


def said(places: dict[str, int]) -> set[str]:
    """The codes that stand as constants in calls of these."""
    found = set()
    for path in FIRMWARE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).rpartition(".")[2]
            if name in places and len(call.args) > places[name]:
                code = call.args[places[name]]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found.add(code.value)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_words(language: str) -> None:
    words = section("trouble", language)
    codes = said(FAULTS) | RADIO | {"unusable"}
    assert {f"do.{code}" for code in RADIO} <= words.keys()
    assert {"no_answer", "stuck", "not_written", "full", "other_size"} <= codes
    assert codes <= {name.removeprefix("code.") for name in words}
    reasons = said(REASONS) | {"crash", "watchdog", "power", "silent", "rolled_back"}
    reasons |= {"no_start", "wrong_chip", "other_mpy"}  # of MicroPython itself
    assert {"bad_signature", "downgrade", "busy"} <= reasons
    assert reasons <= {name.removeprefix("reason.") for name in words}
    cause, phase = (kind.__annotations__ for kind in (StationBooted, StationUpdate))
    for prefix, kind in (
        ("part", Part.__value__), ("cause", cause["cause"]), ("phase", phase["phase"]),
    ):  # fmt: skip
        (known,) = (one.extra_json_schema["enum"] for one in kind.__metadata__)
        assert {f"{prefix}.{name}" for name in known} <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_keeps_a_station_in_safe_mode_has_its_words(language: str) -> None:
    words = section("trouble", language)
    for cause in (*NEEDS_IMAGE, "crashes", "no_program"):
        assert f"safe.{cause}" in words
    assert {"reason.other_build", *(f"reason.{cause}" for cause in NEEDS_IMAGE)} <= words.keys()
    for cause in NEEDS_IMAGE:
        (told,) = trouble.start(cause, None, "power_on", "s3_korvo2", language)
        (safe,) = trouble.start(cause, cause, "power_on", "s3_korvo2", language)
        assert safe.endswith(told)
        advice = trouble.image_advice(cause, "s3_korvo2", language)
        assert "ESP32_GENERIC_S3-SPIRAM_OCT-…-v1.28.0.bin" in advice
    assert trouble.start(None, None, "power_on", "s3_korvo2", language) == []
    assert len(trouble.start(None, None, "power_unsteady", "s3_korvo2", language)) == 1


def test_in_words() -> None:
    assert trouble.fault("codec: no_answer", "es") == "códec de audio: no responde"
    assert trouble.fault("codec: 17", "en") == "audio codec: 17"
    assert trouble.advice("keys: stuck", "en").startswith("Let go of all keys")
    assert trouble.advice("codec: 17", "es") is None
    assert trouble.reason("rolled_back: codec", "es") == "volvió al anterior: códec de audio"
    assert trouble.reason("wrong_board: this one is sim", "en") == (
        "made for another board: this one is sim"
    )
    assert trouble.reason("something of tomorrow", "es") == "something of tomorrow"
    assert trouble.check("clock", "es") == "no tiene la hora"
    assert trouble.check("screen", "en") == "screen"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_seat_without_telephone_or_switch_is_told_in_words_everywhere(language: str) -> None:
    for code in ("telephone: no_phone", "switch: no_switch"):
        part, _, of = code.partition(": ")
        assert of not in trouble.fault(code, language) and trouble.advice(code, language)
        for area in ("alerts", "desk"):  # of the floor, and of the virtual desk
            assert f"part.{part}" in section(area, language)
