"""What goes where: prints upward arrows."""

import collections
import json
import re
import sys

sys.path.insert(0, "/tmp")
import importlib.util
import os

os.chdir("/work/wt/p9/host_tools")
spec = importlib.util.spec_from_file_location("mods", "/tmp/mods.py")
M = importlib.util.module_from_spec(spec)
spec.loader.exec_module(M)
FLOORS = {
    "base": 0,
    "words": 0,
    "wire": 1,
    "site": 2,
    "store": 3,
    "metrics": 3,
    "access": 3,
    "ingest": 4,
    "figures": 4,
    "report": 5,
    "exchange": 6,
    "gateway": 6,
    "stations": 6,
    "hub": 7,
    "maintenance": 7,
    "web": 8,
    "cli": 9,
    "diadema_sim": 9,
}
R = []  # (regex on name after diadema., target)


def r(a, b):
    R.append((re.compile("^" + a + "$"), b))


for n in ["errors", "paths", "locks", "clock", "credentials", "logs", "disk", "open_files"]:
    r(n, "base." + n)
r("harmless", "base.sanitize")
r("alone", "base.exclusive")
r("once", "base.idempotency")
r("hub.certificates", "base.certificates")
r("hub.process", "base.processes")
r("callers", "wire.callers")
for n in ["commands", "frames", "journal", "schema", "pieces"]:
    r(n, "wire." + n)
r("events(.*)", r"wire.events\1")
r("web.rows", "wire.live_rows")
r("words", "words")
r("report.durations", "words.durations")
for n in ["badge_cards", "badge_ids", "pins", "station_config", "station_keys"]:
    r(n, "site." + n)
r("site", "site.description")
r("site_example", "site.example")
r("site_file", "site.file")
r("site_people", "site.people")
r("site_terms", "site.terms")
r("site_work", "site.work")
r("directory.command", "cli.people")
r("directory$", "site.directory")
r(r"directory\.(.*)", r"site.directory.\1")
r("store(.*)", r"store\1")
r("metrics(.*)", r"metrics\1")
for n in ["state", "station", "timeline"]:
    r("ingest." + n, "store.station_" + n if n != "station" else "store.station_memory")
r("records.command", "cli.ledger")
r(r"records\.(heads|key|keeping|erased|checking)", r"store.records.\1")
r("records", "store.records")
r("web.who", "access.roles")
r(r"web\.accounts(.*)", r"access\1")
r("ingest.cut", "figures.cutoff")
PURE = [
    "act_kinds",
    "changes",
    "closing",
    "conduct",
    "contacts",
    "core",
    "decode",
    "departures",
    "erased_events",
    "floor",
    "intake",
    "late_marks",
    "marks_board",
    "messages",
    "own_journal",
    "placing",
    "projection",
    "queue_board",
    "queues",
    "sessions",
    "session_checks",
    "supervision",
    "tickets",
    "trails",
    "transfers",
    "update_facts",
    "update_steps",
    "window",
    "windows",
    "violations",
    "link_log",
]
for n in PURE:
    r("ingest." + n, "ingest." + n)
r("ingest", "ingest")
r(r"ingest\.(.*)", r"hub.\1")
r("hub", "hub")
r(r"hub\.(.*)", r"hub.\1")
r("nats_jwt", "hub.nats_jwt")
r("mosquitto", "hub.mosquitto")
r("enrol", "hub.enrol")
r("ask_hub", "wire.ask_hub")
r("figures(.*)", r"figures\1")
r("report.command", "cli.report")
r("report.schedule_command", "cli.report_schedule")
r("report(.*)", r"report\1")
for p in [
    "boards",
    "image",
    "flash",
    "provision",
    "selftest",
    "update",
    "label",
    "fleet",
    "technician",
    "prove",
]:
    r(p + r"\.(command|cli)", "cli." + p)
    r(p + "(.*)", r"stations." + p + r"\1")
r("console", "stations.console")
r("imports.command", "cli.imports")
r("imports.journal_command", "cli.import_journal")
r("imports.queue_command", "cli.import_queue_log")
r(r"imports(.*)", r"exchange.imports\1")
r("exports.command", "cli.export")
r(r"exports(.*)", r"exchange.exports\1")
r("gateway", "gateway.bridge")
r("gateway_access", "gateway.access")
r("cable", "gateway.cable")
r("serial_port", "gateway.serial_port")
r("station_line", "gateway.station_line")
r("rebuild.command", "cli.rebuild")
r(r"rebuild(.*)", r"maintenance.rebuild\1")
r(r"privacy(.*)", r"maintenance.privacy\1")
for n in ["account_command", "pin_command", "privacy_command", "site_command"]:
    r(n, "cli." + n.split("_")[0])
r("cli", "cli.main")
r("options", "cli.options")
r("__main__", "__main__")
r("", "")
r(r"web(.*)", r"web\1")
r(r"sim(.*)", r"~sim\1")


def to(name):
    n = name.removeprefix("diadema").removeprefix(".")
    for rx, b in R:
        m = rx.match(n)
        if m:
            t = m.expand(b)
            if t.startswith("~sim"):
                return "diadema_sim" + t[4:]
            return ("diadema." + t) if t else "diadema"
    raise SystemExit("unmapped " + name)


MAP = {m: to(m) for m in M.mods}


def room(t):
    p = t.split(".")
    return p[0] if p[0] == "diadema_sim" else (p[1] if len(p) > 1 else "")


if __name__ == "__main__":
    up = collections.defaultdict(list)
    for m, users in M.imps.items():
        for u in users:
            a, b = room(MAP[u]), room(MAP[m])
            if a != b and a in FLOORS and b in FLOORS and FLOORS[a] <= FLOORS[b]:
                up[a, b].append((u[8:], m[8:]))
            if a not in FLOORS or b not in FLOORS:
                if a != b:
                    up[a, b].append((u[8:], m[8:]))
    for k, v in sorted(up.items(), key=lambda kv: -len(kv[1])):
        print(k, len(v), v[:12])
    json.dump({m: t for m, t in MAP.items() if m != t}, open("/tmp/house/map.json", "w"), indent=0)
