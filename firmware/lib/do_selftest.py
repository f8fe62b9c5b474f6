"""The start of a shift: a test of the station of 20 s at most, whether each tool of the agent's
works, and the checklist of their materials. What the station can look at itself it does; keys,
voice and lights need the agent.

A step that nobody answers in its time has failed; who has no time says why not and goes on.
"""

from lib.actions import YES_NO
from micropython import const

_PARTS = "badge_reader codec screen lights journal config".split()  # noqa: SIM905
_STEPS = (("keys", 7_000), ("microphone", 6_000), ("lights", 5_000))
_QUIET_DB = -55  # of the agent's voice at the microphone, dBFS
_CODES = const(84)  # bytes of codes in an event whose checks are all right
_WORSE = const(4)  # bytes less with each check that failed
_SKIP = ("call_waits", "done_before", "no_time")
_LISTS = ("selftest", "skip", "tools", "tool_fault", "materials")


def begin(station, details):
    """Before it: the agent may leave it out."""
    nodes = [["begin", "selftest_begin"], ["skip", "selftest_skip"]]

    def chosen(station, node):
        if node[0] == "skip":
            station.open_words("skip", [[word, word] for word in _SKIP], skipped)
        else:
            Page(checks).go_on(station)

    def skipped(station, node):
        _tell(station, checks, skipped=node[0])

    checks = look(station)
    station.open_words("selftest", nodes, chosen, "idle")


def by_host(station, details):
    """By the host: at once; or a supervisor leaves out the one that is going on."""
    if details.get("skip"):
        if station.menu and station.menu.kind in _LISTS:
            station.menu = None
            _tell(station, look(station), details, skipped="supervisor")
        else:
            station.refuse(details, "no_selftest")
        return
    page = Page(look(station))
    page.command = details
    page.go_on(station)


def look(station):
    """What needs nobody."""
    desk = station.desk
    checks = {part: "failed" for part in _PARTS if part in desk.faults}
    if desk.plugged is not None:
        checks["headset"] = "ok" if desk.plugged else "failed"
    checks["link"] = "ok" if station.link == "up" else "failed"
    if station.config.firmware:
        checks["firmware"] = "ok" if station.firmware == station.config.firmware else "failed"
    checks["clock"] = "failed" if station.utc(station.u) is None else "ok"
    for part in _PARTS:
        checks.setdefault(part, "ok")
    return checks


def _tell(station, checks, details=None, missing=(), tools=(), **more):
    failed = [name for name in checks if checks[name] == "failed"]
    reason = min(failed) if failed else "tools" if tools else "materials" if missing else None
    left = _CODES - _WORSE * len(failed)
    for name, codes in (("tools", tools), ("missing", missing)):
        fitting = []
        for code in codes:
            left -= len(code.encode()) + 3
            if left >= 0:
                fitting.append(code)
        if fitting:
            more[name] = fitting
    if reason:
        more["reason"] = reason
    station.said("station.selftest", details, checks=checks, fit=reason is None, **more)
    words = station.words
    station.notify("unfit" if reason else "fit", words.get(reason, ""))


class Page:
    """Takes all six keys, as `lib.menus` says."""

    kind = "selftest"
    title = None
    deep = stays = said = False
    urgent = all_keys = True
    command = None

    def __init__(self, checks):
        self.checks = checks
        self._at = -1
        self.key = 1  # that is to be pressed next
        self.tools = []  # that do not work
        self.reported = []  # of them those that are faults by now

    @property
    def step(self):
        return _STEPS[self._at][0] if 0 <= self._at < len(_STEPS) else None

    @property
    def lit(self):
        return self.step == "lights"

    @property
    def hears(self):
        return self.step == "microphone"

    def fits(self, station):
        return station.desk.work == "idle"

    def go_on(self, station):
        self._at += 1
        if self.hears and not station.hears:  # a board without sound
            self.checks["microphone"] = "skipped"
            self._at += 1
        station.menu = None
        if self._at < len(_STEPS):
            station.open(self, _STEPS[self._at][1])
        else:
            _tools(station, self, [])

    def _done(self, station, right):
        self.checks[self.step] = "ok" if right else "failed"
        self.go_on(station)

    def press(self, station, key):
        station.menu = self
        if self.step == "keys" and key == self.key:
            self.key += 1
            if self.key > 6:
                self._done(station, True)
        elif self.step == "lights" and key in (3, 4):
            self._done(station, key == 3)

    def level(self, station, level_db):
        """The agent's voice was heard."""
        if self.hears:
            self._done(station, level_db >= _QUIET_DB)

    def expire(self, station):
        self._done(station, False)

    def content(self):
        return (self.step, self.key)

    def draw(self, canvas, words):
        step = self.step
        title = words["test_" + step]
        canvas.title(title % self.key if step == "keys" else title, 14, 127)
        canvas.text(words["test_%s_how" % step], 0, 38, 127, True)


def _tools(station, page, failed, at=0):
    """Whether each works, one after the other; one that does not can be told as a fault."""
    if at == len(station.config.tools):
        page.tools = failed
        if station.config.materials:
            _materials(station, page, [])
        else:
            _tell(station, page.checks, page.command, (), failed)
        return
    code, label = station.config.tools[at]

    def answered(station, node):
        if node[0] == "yes":
            _tools(station, page, failed, at + 1)
        elif code in page.reported:
            _tools(station, page, failed + [code], at + 1)
        else:
            station.open_words("tool_fault", YES_NO, decided, "idle")

    def decided(station, node):
        if node[0] == "yes" and code not in page.reported:
            page.reported.append(code)
            station.do("help.report", _area_of(station.config, code), code)
        _tools(station, page, failed + [code], at + 1)

    station.open_words("tools", YES_NO, answered, "idle")
    station.menu.title = station.words["tools_list"] % label


def _area_of(config, tool):
    """The area that has it among its parts, else one of its own."""
    for row in config.faults:
        if any(part[0] == tool for part in row[2]):
            return row[0]
    return "tools"


def _materials(station, page, missing):
    """Which of the materials is not there; the first line ends it."""
    left = [row for row in station.config.materials if row[0] not in missing]

    def chosen(station, node):
        if node[0]:
            _materials(station, page, missing + [node[0]])
        else:
            _tell(station, page.checks, page.command, missing, page.tools)

    done = "all_there" if not missing else "rest_there"
    station.open_list("materials", [["", station.words[done]]] + left, chosen, "idle")
