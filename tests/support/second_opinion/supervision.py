"""`supervision`: what was done to agents, in a register, and how often each."""

from collections import Counter

from tests.support.second_opinion.calls import counted

ACTIONS = {
    "message": "mensaje", "presence": "cambio de estado", "logout": "cierre de sesión",
    "move": "cambio de posición", "help": "ayuda", "fault": "falla",
    "wrapup_closed": "post llamada cerrada", "selftest_skipped": "autoprueba omitida",
    "note": "nota", "orientacion": "orientación",
    "llamada_atencion": "llamada de atención",
    "retro_posicion": "retroalimentación en posición", "cambio_pausa": "cambio de pausa",
    "novedad_turno": "novedad de turno", "acknowledge": "alerta vista",
    "pin_reset": "reinicio de PIN",
}  # fmt: skip


def acts(asked):
    """Of the days and of whom is asked about, of all for a queue."""
    found = []
    for one in asked.whole.given.told("supervision.acted"):
        if one.f["action"] in ("annul", "reply") or one.f.get("kind") == "llamada_atencion":
            continue  # the first are told with what they are of, the other is on no such report
        day = asked.centre.day(one.utc // 1000)
        whom = asked.of == "queue" or asked.of_agent(one.f.get("a", ""), day)
        if whom and day in asked.days:
            found.append(one)
    return found


def action(act):
    return ACTIONS[act.f.get("kind") or act.f["action"]]


def make(asked):
    its = acts(asked)
    told = asked.whole.given.told("supervision.acted")
    gone = {tuple(one.f["of"]) for one in told if one.f["action"] == "annul"}
    stand = [one for one in its if (one.s, one.e, one.n) not in gone]
    rows = {
        (one.utc, one.f["who"], action(one), one.f.get("c"), one.f.get("note")): {"told": 1}
        for one in its
    }
    return {"register": rows, "actions": counted(Counter(map(action, stand)), share=True)}
