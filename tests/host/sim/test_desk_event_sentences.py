"""The sentences of the virtual desk's list: one an event, in both languages."""

from typing import Any

import pytest
from diadema.wire.events import KINDS
from diadema.wire.events.people import HostEvent
from diadema.wire.events.queue import RecordingEvent
from diadema.words import LANGUAGES, section
from diadema_sim import people
from diadema_sim.desk.event_sentences import EventSentences, tone

SITE = people.site(people.desks(2), name="Centro", zone="America/Lima", tree=people.LIMA_TREE)

OF_STATIONS = [
    kind for kind, struct in KINDS.items() if not issubclass(struct, HostEvent | RecordingEvent)
]


def said(language: str = "es", **event: Any) -> str | None:
    event["k"] = event.pop("kind")
    return EventSentences(SITE).sentence(event, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", OF_STATIONS)
def test_every_kind_has_a_sentence(kind: str, language: str) -> None:
    known = section("desk", language)
    assert any(key == f"said.{kind}" or key.startswith(f"said.{kind}.") for key in known)
    sentence = said(language, kind=kind)
    assert sentence is None or (sentence.endswith(".") and "{" not in sentence)


@pytest.mark.parametrize(
    ("event", "spanish", "english"),
    [
        (
            {"kind": "session.opened", "a": "a001", "provisional": False},
            "Rosa Lúcuma inició sesión.",
            "Rosa Lúcuma logged in.",
        ),
        (
            {"kind": "presence.changed", "a": "a001", "to": "not_ready", "reason": "sshh"},
            "Auxiliar: SS. HH.",
            "Not ready: SS. HH.",
        ),
        (
            {"kind": "presence.changed", "a": "a001", "to": "not_ready", "reason": "no_answer"},
            "Auxiliar: no contestó.",
            "Not ready: no answer.",
        ),
        (
            {"kind": "contact.offered", "c": "c1", "queue": "Banca"},
            "Llamada ofrecida · Banca.",
            "Call offered · Banca.",
        ),
        (
            {"kind": "help.rated", "of": ["s", 1, 2], "answer": "yes"},
            "La ayuda le sirvió.",
            "The help served.",
        ),
        (
            {"kind": "fault.confirmed", "of": ["s", 1, 2], "answer": "no"},
            "Dice que sigue sin funcionar.",
            "Says that it still does not work.",
        ),
        (
            {"kind": "contact.answered", "c": "c1", "ring_ms": 2400},
            "Llamada atendida, timbró 2 s.",
            "Call answered, rang 2 s.",
        ),
        (
            {"kind": "contact.step", "step": "identity", "result": "done", "how": "key"},
            "Paso cumplido: identidad.",
            "Step done: identity.",
        ),
        (
            {
                "kind": "contact.step",
                "step": "identity",
                "result": "done",
                "method": "dni_nacimiento",
            },
            "Identidad verificada: DNI y nacimiento.",
            "Identity verified: DNI y nacimiento.",
        ),
        (
            {"kind": "contact.typified", "code": "211", "how": "agent"},
            "Tipificación: Operaciones › Tarjetas › Bloqueo.",
            "Disposition: Operaciones › Tarjetas › Bloqueo.",
        ),
        (
            {"kind": "contact.listened", "c": "c1", "state": "on", "who": "quality"},
            "Calidad escucha la llamada.",
            "Quality is listening to the call.",
        ),
        (
            {"kind": "contact.listened", "c": "c1", "state": "off", "who": "Nelly T."},
            "Nelly T. ya no escucha la llamada.",
            "Nelly T. no longer listens to the call.",
        ),
        (
            {"kind": "station.fault", "part": "badge_reader", "code": 5},
            "Falla en lector de fotocheck.",
            "Fault in badge reader.",
        ),
        (
            {"kind": "command.refused", "command": "ring", "reason": "not_ready"},
            "No aceptó «timbrar»: no está disponible.",
            "Refused «ring»: not ready.",
        ),
    ],
)
def test_a_sentence_has_the_sites_words(event: dict[str, Any], spanish: str, english: str) -> None:
    assert said("es", **event) == spanish
    assert said("en", **event) == english


def test_what_is_not_known_is_named_not_kept_quiet() -> None:
    assert said(kind="lamp.lit") == "Evento lamp.lit."
    assert said(kind="session.opened", a="a999") == "Alguien inició sesión."
    assert said(kind="contact.offered") == "Llamada ofrecida · —."


def test_what_says_nothing_to_a_person_is_left_out() -> None:
    assert said(kind="station.health", heap=1, journal=2) is None
    assert said(kind="presence.changed", a="a001", to="logged_out") is None
    assert said(kind="voice.summary", agent_ms=0, caller_ms=0) is None
    assert said(kind="voice.summary", agent_ms=4000, caller_ms=0) == (
        "Voz: asesor 4 s, usuario 0 s."
    )


def test_what_went_wrong_stands_out() -> None:
    assert tone({"k": "contact.missed"}) == tone({"k": "session.denied"}) == "bad"
    assert tone({"k": "contact.held"}) == "call"
    assert tone({"k": "station.clock"}) == "station"
