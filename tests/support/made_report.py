"""A report as a test makes it: every kind of column, every kind of total, and names that bite."""

from datetime import datetime, time

from diadema.figures.rows import Cutoff, PendingStation
from diadema.report.model import Column, Figure, Ratio, Report, Scope, Section, Target, totalled

NASTY = [
    "=cmd|'/C calc'!A0", "<script>alert(1)</script>", "+51 999", "-2+3", "@SUM(A1)",
    "\u202egnirts", "Ñandú «Úrsula» & Cía. ≤ 5", "a\x07b\x1b[31m", "Ω漢字😀", "'ya", "&B pie",
]  # fmt: skip
AT = 1_795_000_000_000


def section(rows=None):
    columns = [
        Column(key="agent", word="asesor", kind="text"),
        Column(key="n", word="n", total="sum"),
        Column(key="talk_s", word="conversación", kind="seconds", total="sum"),
        Column(key="hold_s", word="espera", kind="seconds", total="sum"),
        Column(key="short", word="cortos", total="sum"),
        Column(
            key="aht_s", word="TMO", kind="seconds", target=Target(300, at_most=True),
            total=Ratio(["talk_s", "hold_s"], ["n"]),
        ),
        Column(
            key="share", word="espera %", kind="percent", target=Target(10.0),
            total=Ratio(["hold_s"], ["talk_s", "hold_s"]),
        ),
        Column(key="net", word="neto %", kind="percent",
               total=Ratio(["n", "-short"], ["n"])),
        Column(key="people", word="usuarios", total="given"),
        Column(key="at", word="entrada", kind="moment"),
        Column(key="minute", word="hora", kind="minute"),
        Column(key="day", word="fecha", kind="day"),
    ]  # fmt: skip
    if rows is None:
        rows = [
            [name, k + 1, 400 * k + 101, 37 * k + 1, k % 2, 310 - k, 9.5 + k / 10, 50.0,
             3, AT + 1000 * k + 999, AT + 60_000 * k, "2026-11-18"]
            for k, name in enumerate(NASTY)
        ]  # fmt: skip
        rows.append(["Nadie", 0, 0, 0, 0, None, None, None, None, None, None, None])
    return Section(
        key="agents", title="Asesores: [todos] / piso", columns=columns, rows=rows,
        total=totalled(columns, rows, {"people": 17}), notes=["TMO = (…) / n", NASTY[0]],
    )  # fmt: skip


def summary():
    columns = [
        Column(key="figure", word="cifra", kind="text"),
        Column(key="value", word="valor", kind="figure"),
        Column(key="goal", word="meta", kind="figure"),
    ]
    rows = [
        ["TMO", Figure("seconds", 90_061), Figure("seconds", 300)],
        ["Ocupación", Figure("percent", 52.1), None],
        ["Atenciones", Figure("count", 27_162), None],
    ]
    return Section(key="summary", title="Resumen", columns=columns, rows=rows)


def report(owing=True, language="es", sections=None):
    who = [
        PendingStation(station="DIA-000000000001", seat="A-01", since_utc=AT - 3_600_000),
        PendingStation(station="DIA-000000000002", seat="=A-02", since_utc=None),
    ]
    return Report(
        kind="tmo", title="TMO", language=language, site="Centro & <Lima>", grain="month",
        span="2026-11", first="2026-11-01", last="2026-11-30", zone="America/Lima",
        scope=Scope(), scope_name="todo el piso",
        cut=Cutoff(at_ms=AT, position=48213, pending_stations=who if owing else []),
        threshold_s=20, short_s=5,
        sections=sections or [summary(), section()], notes=["Flujo: …", NASTY[1]],
    )  # fmt: skip


def in_seconds(value):
    """A duration as openpyxl gives it, which depends on how long it is."""
    if isinstance(value, time):
        return 3600 * value.hour + 60 * value.minute + value.second
    if isinstance(value, datetime):
        return round((value - datetime(1899, 12, 30)).total_seconds())
    days = value.total_seconds() if hasattr(value, "total_seconds") else value * 86_400
    return round(days)
