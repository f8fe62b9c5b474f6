"""What a sample site says of its work beside the tree: reasons, areas, help, faults, campaigns."""

from typing import Any

type Rows = list[dict[str, Any]]


def _coded(**labels: str) -> Rows:
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

HELP_TOPICS = _coded(
    procedimiento="Procedimiento",
    sistema="Sistema",
    usuario_dificil="Usuario difícil",
    autorizacion="Autorización",
    otro="Otro",
)

FAULT_AREAS: Rows = [
    {
        "code": "audio",
        "label": "Audio",
        "parts": _coded(
            no_oigo="No oigo", no_me_oyen="No me oyen", ruido="Ruido", vincha="Vincha rota"
        ),
    },
    {
        "code": "pc",
        "label": "Computadora",
        "parts": _coded(pantalla="Pantalla", teclado="Teclado o ratón", no_enciende="No enciende"),
    },
    {
        "code": "aplicativo",
        "label": "Aplicativo",
        "parts": _coded(no_abre="No abre", lento="Lento", clave="Clave"),
    },
    {"code": "posicion", "label": "Posición", "parts": _coded(silla="Silla", luz="Luz")},
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

IDENTITY_METHODS = _coded(
    dni_nacimiento="DNI y nacimiento", preguntas="Preguntas", token="Clave digital"
)

MATERIALS = _coded(vincha="Vincha", fotocheck="Fotocheck", sin_celular="Sin celular")

NEGATIVE = "622"  # of the tree of Lima: «No desea»


def playbooks(nodes: list[Any]) -> Rows:
    """One for each motive of the tree's first level."""
    return [{"motive": node[0], "id": f"INS-{node[0]}", "version": 1} for node in nodes]
