"""Invented people and their catalogues: the `site.json` of a simulated centre.

Surnames are fruits and birds of Peru, so that nobody can take a sample for a person. For the
drivers of simulated runs and for tests; a real site writes its own file.

What a sample site says of its work beside the tree: reasons, areas, help, faults, campaigns.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from diadema.base.errors import DiademaError
from diadema.site.pins import make_verifier
from diadema.words import Sentence

type Rows = list[dict[str, Any]]


def coded(**labels: str) -> Rows:
    return [{"code": code, "label": label} for code, label in labels.items()]


def _steps(*steps: str) -> Rows:
    """Steps of a protocol; `+` before those that the course of the call ticks by itself."""
    return [{"step": step.lstrip("+"), "automatic": step[0] == "+"} for step in steps]


def _reasons(*rows: tuple[str, str, str, int]) -> Rows:
    """Code, label, flags, limit in minutes."""
    return [
        {
            "code": code,
            "label": label,
            **{flag: flag in flags.split() for flag in ("private", "paid", "productive")},
            "limit_s": minutes * 60,
        }
        for code, label, flags, minutes in rows
    ]


REASONS = _reasons(
    ("refrigerio", "Refrigerio", "", 45),
    ("break", "Break", "paid", 15),
    ("sshh", "SS. HH.", "private paid", 0),
    ("pausa_activa", "Pausa activa", "paid", 10),
    ("topico", "Tópico", "private paid", 0),
    ("lactancia", "Lactancia", "private paid", 0),
    ("capacitacion", "Capacitación", "paid productive", 0),
    ("retroalimentacion", "Retroalimentac.", "paid productive", 30),
    ("reunion", "Reunión", "paid productive", 0),
    ("back_office", "Back office", "paid productive", 0),
)

AREAS: Rows = [
    {"code": "tarjetas", "label": "Tarjetas", "consulted": False},
    {"code": "reclamos", "label": "Reclamos", "consulted": True},
    {"code": "creditos", "label": "Créditos", "consulted": True},
    {"code": "digital", "label": "Banca digital", "consulted": False},
    {"code": "supervision", "label": "Supervisión", "consulted": True},
]

HELP_TOPICS = coded(
    procedimiento="Procedimiento",
    sistema="Sistema",
    usuario_dificil="Usuario difícil",
    autorizacion="Autorización",
    otro="Otro",
)
HELP_TOPICS[3]["urgent"] = True

FAULT_AREAS: Rows = [
    {
        "code": "audio",
        "label": "Audio",
        "parts": coded(
            no_oigo="No oigo", no_me_oyen="No me oyen", ruido="Ruido", vincha="Vincha rota"
        ),
    },
    {
        "code": "pc",
        "label": "Computadora",
        "parts": coded(pantalla="Pantalla", teclado="Teclado o ratón", no_enciende="No enciende"),
    },
    {
        "code": "aplicativo",
        "label": "Aplicativo",
        "parts": coded(no_abre="No abre", lento="Lento", clave="Clave"),
    },
    {"code": "posicion", "label": "Posición", "parts": coded(silla="Silla", luz="Luz")},
]

# The first one is that of calls which come without a campaign. Debt collection keeps the hours of
# the law (Ley 29571, art. 62.b), on days that are no holidays.
CAMPAIGNS: Rows = [
    {
        "code": "atencion",
        "label": "Atención",
        "steps": _steps("+greeting", "identity", "need", "information", "doubts", "+closing"),
    },
    {
        "code": "cobranza",
        "label": "Cobranza",
        "steps": _steps("+greeting", "identity", "information", "closing"),
        "outbound": {
            "from": "08:00",
            "to": "20:00",
            "days": ["mon", "tue", "wed", "thu", "fri"],
        },
    },
    {
        "code": "ventas",
        "label": "Ventas",
        "steps": _steps("greeting", "need", "information", "closing"),
        "outbound": {
            "from": "09:00",
            "to": "18:00",
            "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
        },
        "consent": True,
    },
]
HOLIDAYS = ["2026-12-08", "2026-12-09", "2026-12-25", "2027-01-01"]

IDENTITY_METHODS = coded(
    dni_nacimiento="DNI y nacimiento", preguntas="Preguntas", token="Clave digital"
)

MATERIALS = coded(vincha="Vincha", fotocheck="Fotocheck", sin_celular="Sin celular")

NEGATIVE = "622"  # of the tree of Lima: «No desea»


def playbooks(nodes: list[Any]) -> Rows:
    """One for each motive of the tree's first level."""
    return [{"motive": node[0], "id": f"INS-{node[0]}", "version": 1} for node in nodes]


LABEL_LIMIT = 16  # characters of a line on the station's screen
LIMIT = 400  # people that the lists below can name

_NAMES = (
    "Rosa", "Julio", "Carmen", "Percy", "Milagros", "Wilmer", "Yesenia", "Edwin", "Flor", "Nilton",
    "Maruja", "Hernán", "Lourdes", "Abel", "Zoila", "Fidel", "Gladys", "Ciro", "Nelly", "Óscar",
)  # fmt: skip
_SURNAMES = (
    "Lúcuma", "Picaflor", "Chirimoya", "Zorzal", "Granadilla", "Cóndor", "Maracuyá", "Huanchaco",
    "Pacae", "Chivillo", "Aguaje", "Tucán", "Camu", "Jilguero", "Tumbo", "Gaviota", "Guanábana",
    "Perdiz", "Capulí", "Ñandú",
)  # fmt: skip
TEAMS = ("Turno Ají", "Turno Maíz", "Turno Quinua")
_SEATS_A_ROW = 20

WIFI = {"ssid": "Centro", "password": "una clave larga"}

# The tipificación of a bank in Lima.
LIMA_TREE: dict[str, Any] = {
    "version": 1,
    "nodes": [
        ["1", "Consultas", [
            ["11", "Cuentas", [
                ["111", "Saldo"], ["112", "Movimientos"], ["113", "Estado de cuenta"],
                ["114", "CCI"],
            ]],
            ["12", "Tarjetas", [
                ["121", "Línea y deuda"], ["122", "Fecha de pago"], ["123", "Millas y premios"],
            ]],
            ["13", "Créditos", [["131", "Cuotas"], ["132", "Simulación"], ["133", "Prepago"]]],
            ["14", "Red y horarios", [
                ["141", "Agencias"], ["142", "Cajeros"], ["143", "Agentes"],
            ]],
        ]],
        ["2", "Operaciones", [
            ["21", "Tarjetas", [
                ["211", "Bloqueo"], ["212", "Reposición"], ["213", "Activación"],
                ["214", "Aviso de viaje"], ["215", "Cambio de línea"],
            ]],
            ["22", "Transferencias", [
                ["221", "Entre cuentas"], ["222", "Interbancaria"], ["223", "Al exterior"],
            ]],
            ["23", "Pagos", [["231", "Servicios"], ["232", "Tarjeta"], ["233", "Crédito"]]],
        ]],
        ["3", "Reclamos", [
            ["31", "Cargos", [
                ["311", "No reconocido"], ["312", "Duplicado"], ["313", "Comisión"],
            ]],
            ["32", "Cajero", [["321", "No dispensó"], ["322", "Retuvo tarjeta"]]],
            ["33", "Atención", [["331", "Agencia"], ["332", "Teléfono"], ["333", "Demora"]]],
        ]],
        ["4", "Banca digital", [
            ["41", "Clave", [["411", "Olvido"], ["412", "Bloqueo"], ["413", "Token digital"]]],
            ["42", "App y web", [["421", "No ingresa"], ["422", "Error"], ["423", "Afiliación"]]],
        ]],
        ["5", "Bolsa", [
            ["51", "Órdenes", [["511", "Compra"], ["512", "Venta"]]],
            ["52", "Consulta", [["521", "Cotización"], ["522", "Cartera"]]],
        ]],
        ["6", "Productos", [
            ["61", "Información", [["611", "Cuenta nueva"], ["612", "Tarjeta nueva"]]],
            ["62", "Interesado", [["621", "Pide contacto"], ["622", "No desea"]]],
        ]],
        ["9", "Otros", [
            ["91", "Sin motivo", [
                ["911", "Llamada cortada"], ["912", "Equivocado"], ["913", "Devolución"],
            ]],
        ]],
    ],
}  # fmt: skip

# The types of the «anonymous bank» log, each a leaf: PS regular activity, PE the same in English,
# NE stock exchange, IN internet, NW prospects, TT calls returned.
BANK_TREE: dict[str, Any] = {
    "version": 1,
    "nodes": [
        ["1", "Cuentas", [["11", "Operaciones", [["111", "Habitual"], ["112", "En inglés"]]]]],
        ["2", "Bolsa", [["21", "Valores", [["211", "Operación"]]]]],
        ["3", "Internet", [["31", "Banca web", [["311", "Consulta"]]]]],
        ["4", "Prospectos", [["41", "Cliente nuevo", [["411", "Información"]]]]],
        ["5", "Retornos", [["51", "Dejó mensaje", [["511", "Devolución"]]]]],
        ["9", "Otros", [["91", "Otro tipo", [["911", "Sin detalle"]]]]],
    ],
}  # fmt: skip
BANK_CODES = {"PS": "111", "PE": "112", "NE": "211", "IN": "311", "NW": "411", "TT": "511"}
BANK_OTHER = "911"

# The same types in Lima: the queue that a call comes by, and the leaves that it may end at.
QUEUES = {
    "PS": "Banca",
    "PE": "Inglés",
    "NE": "Bolsa",
    "IN": "Digital",
    "NW": "Captación",
    "TT": "Retornos",
}
LIMA_CODES = {
    "PS": ["111", "112", "113", "121", "122", "131", "211", "213", "221", "222", "231", "311"],
    "PE": ["111", "112", "121", "221", "223", "311"],
    "NE": ["511", "512", "521", "522"],
    "IN": ["411", "412", "413", "421", "422", "423"],
    "NW": ["611", "612", "621", "622", "132", "141"],
    "TT": ["911", "912", "913", "333"],
}


@dataclass(frozen=True)
class Person:
    """Somebody at a desk of the simulated centre."""

    id: str
    name: str
    short: str
    alias: str
    team: str
    badge: str  # hex of the card's UID, as `Station.tap` takes it
    pin: str  # pressed where the site asks for it
    code: str  # instead of the badge, before the PIN

    def as_site(self, pins: bool = False) -> dict[str, Any]:
        """`pins`: with the verifier of the PIN, always the same one, and the code."""
        login = {"pin": make_verifier(self.pin, self.id.encode().rjust(8)), "code": self.code}
        return {
            "id": self.id,
            "name": self.name,
            "short": self.short,
            "alias": self.alias,
            "team": self.team,
            "badges": [f"iso14443a:{self.badge}"],
            **(login if pins else {}),
        }


@dataclass(frozen=True)
class Desk:
    """A seat with its station, and who sits there."""

    seat: str
    station: str
    person: Person


def desks(count: int) -> list[Desk]:
    """That many people, each at a desk; always the same ones."""
    if not 1 <= count <= LIMIT:
        raise DiademaError(
            Sentence("errors.sim.count_stations_cannot_staffed_ask", count=count, limit=LIMIT)
        )
    people = []
    aliases: Counter[str] = Counter()
    for k, (name, surname) in enumerate(islice(_pairs(), count)):
        alias = f"{name} {surname[0]}."
        aliases[alias] += 1
        if aliases[alias] > 1:
            alias = f"{alias} {aliases[alias]}"
        short = f"{surname.upper()} {name[0]}."
        people.append((f"{name} {surname}", short, alias, TEAMS[k % len(TEAMS)]))
    return _seated(people)


def seat_of(station: str) -> str:
    """Of one of these desks."""
    return _seat(int(station[-4:], 16) - 1)


def bank_desks(servers: list[str]) -> list[Desk]:
    """A desk for each agent of a call log, under the name that the log gives them."""
    return _seated(
        [(s, s[:LABEL_LIMIT], f"{s[:8]} {k}", "Banco") for k, s in enumerate(servers, start=1)]
    )


def site(
    desks: list[Desk],
    *,
    name: str,
    zone: str,
    tree: dict[str, Any],
    wifi: dict[str, str] | None = None,
    colleagues: Sequence[Person] = (),
    pins: bool = False,
    selftest: bool = False,
    outbound: bool = True,
) -> dict[str, Any]:
    """The content of `site.json`; `wifi`: the network of its stations. `colleagues` have a badge
    and no desk of their own. With `pins` every login asks for the PIN, and a code may stand in for
    the badge. With `selftest` a shift begins with that of the station. Without `outbound` no
    campaign calls out, and calls out have no hours.
    """
    everybody = [*(desk.person for desk in desks), *colleagues]
    return {
        "site": name,
        "zone": zone,
        "language": "es",
        "ring_limit_s": 20,
        "wrapup_limit_s": 60,
        "wifi": wifi,
        "stations": [{"id": desk.station, "seat": desk.seat} for desk in desks],
        "agents": [person.as_site(pins) for person in everybody],
        "pin": "always" if pins else "none",
        "selftest": selftest,
        "reasons": REASONS,
        "areas": AREAS,
        "help_topics": HELP_TOPICS,
        "fault_areas": FAULT_AREAS,
        "campaigns": [row for row in CAMPAIGNS if outbound or "outbound" not in row],
        "holidays": HOLIDAYS,
        "identity_methods": IDENTITY_METHODS,
        "playbooks": playbooks(tree["nodes"]),
        "materials": MATERIALS,
        "negative_codes": [code for code in leaves(tree) if code == NEGATIVE],
        "tree": tree,
    }


def leaves(tree: dict[str, Any]) -> list[str]:
    """Every code of the third level, in the tree's order."""
    return [leaf[0] for one in tree["nodes"] for two in one[2] for leaf in two[2]]


def motive_of(tree: dict[str, Any], code: str) -> str:
    """The first-level code above a third-level one."""
    return str(next(one[0] for one in tree["nodes"] if code in leaves({"nodes": [one]})))


def _pairs() -> Iterator[tuple[str, str]]:
    """Every name with every surname, such that neighbours share neither."""
    for turn, k in product(range(len(_SURNAMES)), range(len(_NAMES))):
        yield _NAMES[k], _SURNAMES[(k + turn) % len(_SURNAMES)]


def _seat(k: int) -> str:
    return f"{chr(ord('A') + k // _SEATS_A_ROW)}-{k % _SEATS_A_ROW + 1:02}"


def _seated(people: list[tuple[str, str, str, str]]) -> list[Desk]:
    return [
        Desk(
            seat=_seat(k),
            station=f"DIA-02d1ade0{k + 1:04x}",
            person=Person(
                f"a{k + 1:03}",
                name,
                short,
                alias,
                team,
                badge=f"04A1B2C3D4{k + 1:04X}",
                pin=_on_keys(k * 7919 + 20_000, 6),
                code=_on_keys(k, 4),
            ),
        )
        for k, (name, short, alias, team) in enumerate(people)
    ]


def _on_keys(number: int, digits: int) -> str:
    """The number in so many digits from 1 to 6, as on a station's keys."""
    return "".join(str(number // 6**place % 6 + 1) for place in reversed(range(digits)))
