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
        self.queues = {one["Código"]: one["Nombre"] for one in given.on(last, "queues")}
        self._named = holders(given, "queues", str)
        self._extensions = holders(given, "agents", extension)
        self.targets = given.on(last, "targets")
        self.levels = {
            one["Cola"]: one
            for one in self.targets
            if one["Indicador"].startswith("Nivel de servicio") and not one["Etapa"]
        }

    def day(self, utc_s):
        return raw.day_of(utc_s, self.zone)

    def agent(self, told, utc_s):
        """Of the switch's name on that day; one that is nobody's stands for itself."""
        return self._whose(self._extensions, extension(told), utc_s) or told if told else NOBODY

    def knows(self, told, utc_s):
        return bool(told) and self._whose(self._extensions, extension(told), utc_s) is not None

    def queue(self, told, utc_s):
        return self._whose(self._named, told, utc_s) or told

    def _whose(self, names, name, utc_s):
        """The first who ever had it has it before that too."""
        turns = names.get(name, [])
        until_then = [who for since, who in turns if since <= self.day(utc_s)]
        return until_then[-1] if until_then else turns[0][1] if turns else None

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


def holders(given, kind, known_as):
    """By name at the switch, from which day on it is whose, None: nobody's. The day on which it is
    taken away is still his, but not where he had it until a day that was named.
    """
    turns, before = defaultdict(list), {}
    for day in sorted(given.people):
        now = {}
        for row in given.on(day, kind):
            for told in raw.several(row["Nombres en la central"]):
                now[known_as(told)] = row["Código"], row["Vigente hasta"]
        yesterday = (day - timedelta(1)).isoformat()
        for name in {*now, *before}:
            who, (had, until) = now.get(name, (None,))[0], before.get(name, (None, ""))
            if who != had:
                still = who is None and until != yesterday
                turns[name].append((day + timedelta(still), who))
        before = now
    return turns


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
