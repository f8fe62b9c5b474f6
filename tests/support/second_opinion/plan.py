"""What was planned: the roster's rows and shifts as people entered them, in seconds of UTC."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

DAY_OFF = "Descanso"
WITHOUT_PAY = "Permiso sin goce"


class Plan(NamedTuple):
    """One agent's day; `pauses`: (start, end, reason). Without hours there is no shift."""

    agent: str
    day: date
    shift: str
    absence: str
    start: int | None
    end: int | None
    pauses: list[tuple[int, int, str]]
    tolerance: int

    @property
    def works(self):
        return self.start is not None and not self.absence


class Reason(NamedTuple):
    label: str
    private: bool
    paid: bool
    productive: bool
    limit: int


def plans(given, days):
    """By agent and day. A shift has the hours that it has on that day; pauses of the roster's row
    stand in place of the shift's.
    """
    found = {}
    last = max(given.people)
    wanted = set(days)
    for row in given.on(last, "roster"):
        day = date.fromisoformat(row["Día"])
        if day not in wanted:
            continue
        shifts = {one["Código"]: one for one in given.on(day, "shifts")}
        shift = shifts.get(row["Turno"])
        start = end = None
        pauses, tolerance = [], 0
        if shift:
            start = moment(day, shift["Entrada"], given.zone)
            later = day + timedelta(days=1)
            over = shift["Salida"] <= shift["Entrada"]
            end = moment(later if over else day, shift["Salida"], given.zone)
            tolerance = 60 * int(shift["Tolerancia (min)"] or 0)
            for words in (row["Pausas"] or shift["Pausas"]).split("|"):
                if not words.strip():
                    continue
                hours, reason = words.strip().rsplit(" ", 1)
                first, until = hours.split("-")
                on = later if over and first < shift["Entrada"] else day
                begin = moment(on, first, given.zone)
                on = on + timedelta(days=1) if until <= first else on
                pauses.append((begin, moment(on, until, given.zone), reason))
        found[row["Asesor"], day] = Plan(
            row["Asesor"],
            day,
            row["Turno"],
            row["Ausencia"],
            start,
            end,
            sorted(pauses),
            tolerance,
        )
    return found


def moment(day, clock, zone):
    hour, minute = map(int, clock.split(":"))
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return int(local.timestamp())


def reasons(given, day):
    return {
        row["Código"]: Reason(
            row["Etiqueta"], bool(row["Privado"]), bool(row["Remunerado"]),
            bool(row["Productivo"]), int(row["Límite (s)"] or 0),
        )
        for row in given.on(day, "reasons")
    }  # fmt: skip


def owed(plan, known, now):
    """Seconds of a shift until now, without its pauses that are not paid."""
    end = min(plan.end, now)
    seconds = max(0, end - plan.start)
    for start, until, reason in plan.pauses:
        if reason in known and not known[reason].paid:
            seconds -= max(0, min(until, end) - max(start, plan.start))
    return max(0, seconds)
