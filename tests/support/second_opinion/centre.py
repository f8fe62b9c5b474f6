"""Who is who: people and places by date, what the switch calls them, and what is aimed at."""

from collections import defaultdict
from datetime import timedelta

from tests.support.second_opinion import raw

T, SHORT = 20, 5  # seconds, where no target says otherwise
NOBODY = ""


class Centre:
    """`last`: the day as of which names are told. Days are those of the site's zone."""

    def __init__(self, given, last):
        self.given, self.zone, self.last = given, given.zone, last
        self.agents = {one["Código"]: one for one in given.on(last, "agents")}
        self.tree = {one["Código"]: one for one in given.on(last, "dispositions")}
        self.campaigns = {one["Código"]: one for one in given.on(last, "campaigns")}
        self.outside = {one["Código"] for one in given.on(last, "areas") if one["Externa"]}
        self.inside = {one["Código"] for one in given.on(last, "areas") if not one["Externa"]}
        self.areas = {one["Código"]: one["Etiqueta"] for one in given.on(last, "areas")}
        self.queues, self._named = {}, {}
        for one in given.on(last, "queues"):
            self.queues[one["Código"]] = one["Nombre"]
            for told in raw.several(one["Nombres en la central"]):
                self._named[told] = one["Código"]
        self._extensions = {}
        for code, one in self.agents.items():
            for told in raw.several(one["Nombres en la central"]):
                self._extensions[extension(told)] = code
        self.targets = given.on(last, "targets")
        self.levels = {
            one["Cola"]: one
            for one in self.targets
            if one["Indicador"].startswith("Nivel de servicio") and not one["Etapa"]
        }

    def day(self, utc_s):
        return raw.day_of(utc_s, self.zone)

    def agent(self, told):
        """Of the switch's name; one that nobody knows stands for itself."""
        return self._extensions.get(extension(told), told) if told else NOBODY

    def knows(self, told):
        return bool(told) and extension(told) in self._extensions

    def queue(self, told):
        return self._named.get(told, told)

    def queue_name(self, code):
        return self.queues.get(code, code) if code else "(sin cola)"

    def team(self, agent, day):
        return self._on(agent, day).get("Equipo", "")

    def stage(self, agent, day):
        """`` for who is on the floor."""
        word = self._on(agent, day).get("Etapa", "")
        return "" if word.lower() in ("", "piso") else word.lower()

    def _on(self, agent, day):
        return next((one for one in self.given.on(day, "agents") if one["Código"] == agent), {})

    def threshold(self, queue=""):
        its = self.levels.get(queue) or self.levels.get("") or {}
        return int(its.get("Umbral T (s)") or T)

    def aim(self, queue=""):
        """Variant and percent of the service level aimed at; the percent None without one."""
        its = self.levels.get(queue) or self.levels.get("")
        if its is None:
            return "offered", None
        return (its["Variante del nivel de servicio"] or "offered").split(":")[0], float(
            its["Meta"]
        )

    def halves(self, utc_s):
        return raw.half_of(utc_s, self.zone)

    def clock(self, half):
        """A half-hour as it is called: `09:30`; one that its day shows twice with its offset."""
        local = raw.local(half, self.zone)
        word = f"{local:%H:%M}"
        twice = {raw.local(half + shift, self.zone) for shift in (-3600, -1800, 1800, 3600)}
        shown = {(one.date(), f"{one:%H:%M}") for one in twice}
        if (local.date(), word) not in shown:
            return word
        minutes = int(local.utcoffset().total_seconds()) // 60
        sign, (hours, rest) = "−" if minutes < 0 else "+", divmod(abs(minutes), 60)
        return f"{word} {sign}{hours:02}" + (f":{rest:02}" if rest else "")


def extension(told):
    """`SIP/201-0000001a`, `Local/201@from-queue/n`, `Agent/201` and `201` are one."""
    told = told.lower().split("@")[0].split("/")[-1]
    head, dash, tail = told.rpartition("-")
    return head if dash and len(tail) == 8 else told


def days(first, last):
    while first <= last:
        yield first
        first += timedelta(1)


def grouped(items, key):
    found = defaultdict(list)
    for one in items:
        found[key(one)].append(one)
    return found
