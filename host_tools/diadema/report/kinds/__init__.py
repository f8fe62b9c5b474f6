"""The kinds of report: a module here for each, whose `make(context)` gives its sections, and a
line in `KINDS`, which screen, page, API and schedules read.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from diadema.access.roles import Right

type Sums = Literal["", "day", "half_hour", "agent_half_hour"]


class ReportKind(NamedTuple):
    """`module`: its name in this folder. `right`: what its reader must have. `sums`: the finest
    sums of the roll-ups that it shows: of a day, of half-hours of the queues, or of half-hours of
    agents too; "" where it reads none. `of_agents`: it shows sums of each agent. `at_once`: it
    shows nothing but roll-ups, which one transaction reads; others are read again when events
    come in meanwhile. `of_hours`: its durations are working time, always `h:mm:ss`. `trend`: what
    of the module's `stated(context)`, its summary, is followed over the last spans; the first says
    of how many it is; `sl`: the service level with the target. `document`: it is a paper of the
    site's own; `of_ticket`: it is told of one ticket alone too;
    `of_evaluations`: of agents it has nothing but what was evaluated of them.
    """

    module: str
    right: "Right"
    sums: Sums = ""
    of_agents: bool = True
    at_once: bool = False
    of_hours: bool = False
    trend: tuple[str, ...] = ()
    document: bool = False
    of_ticket: bool = False
    of_evaluations: bool = False


KINDS = {
    "intradia": ReportKind(
        "intraday",
        "figures",
        "agent_half_hour",
        of_agents=False,
        at_once=True,
        trend=("sl", "aht_s", "occupancy"),
    ),
    "llamadas": ReportKind(
        "contacts",
        "figures",
        "agent_half_hour",
        at_once=True,
        trend=("pickup_rate", "answer_rate", "abandonment"),
    ),
    "tmo": ReportKind(
        "handling_time",
        "figures",
        "agent_half_hour",
        at_once=True,
        trend=("aht_s", "talk_mean_s", "hold_mean_s", "wrap_mean_s", "occupancy"),
    ),
    "adherencia": ReportKind("adherence", "figures", of_hours=True),
    "servicio": ReportKind(
        "service_level",
        "figures",
        "half_hour",
        of_agents=False,
        at_once=True,
        trend=("sl", "abandonment", "asa_s"),
    ),
    "tipificacion": ReportKind("dispositions", "figures", "day", trend=("typified_rate",)),
    "protocolo": ReportKind(
        "protocol", "figures", "day", trend=("ticked_share", "one_by_one_share")
    ),
    "monitores": ReportKind("monitors", "quality", of_agents=False, of_evaluations=True),
    "consolidado": ReportKind("consolidated", "figures", "day"),
    "asistencia": ReportKind("attendance", "attendance", of_hours=True),
    "supervision": ReportKind("supervision", "register"),
    "ayudas": ReportKind("help_requests", "figures", of_agents=False),
    "fallas": ReportKind("faults", "tickets", of_hours=True),
    "calidad": ReportKind("quality", "figures", of_agents=False, of_evaluations=True),
    "incentivo": ReportKind("incentive", "quality", of_agents=False, of_evaluations=True),
    "escuchas": ReportKind("listening", "listen", of_agents=False),
    "operatividad": ReportKind("operational", "tickets", document=True),
    "consultas": ReportKind("answered", "help", document=True),
    "orientado": ReportKind("guided", "help", document=True),
    "speech": ReportKind(
        "quality_speech", "figures", of_agents=False, document=True, of_evaluations=True
    ),
    "personal": ReportKind("staff", "figures", document=True),
    "constancia": ReportKind("incident", "tickets", of_hours=True, document=True, of_ticket=True),
}

if TYPE_CHECKING:
    type Kind = str
else:
    type Kind = Literal[*KINDS]  # so that the API's description names them
