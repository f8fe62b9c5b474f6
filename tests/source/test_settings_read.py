"""Whatever a site can be told is read by code that works with it: each key of `site.json`, each
field of the directory's entries and each key of a station's configuration. Code that loads,
checks, stores, imports, exports or publishes it does not count.

What only stations are told counts as read where the firmware reads the key that it stands under;
what the directory writes to `site.json` where its key there is read. Into each of the four goes a
field that is invented, and has to be found.
"""

import ast
from functools import cached_property
from pathlib import Path

import diadema
import pytest
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.notices import Notice
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.scorecards import Item, Scorecard, Section

from tests.support.source_names import Sources, last_name
from tests.support.typed_reads import TypedReads

ROOT = Path(diadema.__file__).parents[2]
SITE, DIRECTORY = "diadema.site.", "diadema.site.directory."
PUBLISHING = SITE + "station_config"
CARRYING = {
    *(SITE + one for one in ["description", "example", "file", "station_config", "terms", "work"]),
    *(
        DIRECTORY + one
        for one in (
            "book", "checking", "exporting", "fields", "importing", "kinds", "labels", "sheets",
            "site_json", "tables",
        )
    ),
}  # fmt: skip
SETTINGS = {
    (SITE + module, name)
    for module, names in {
        "description": ("Agent", "DayBadge", "Site", "Station", "Wifi"),
        "terms": ("Coded",),
        "work": (
            "Area", "Campaign", "FaultArea", "HelpTopic", "Outbound", "Playbook", "Reason",
            "Step", "Tool", "Tree",
        ),
    }.items()
    for name in names
}  # fmt: skip
TAKING = DIRECTORY + "people_of"  # makes these of the directory
PEOPLE = {
    (DIRECTORY + "people", name)
    for name in (
        "Area",
        "FaultArea",
        "FaultTarget",
        "Helper",
        "People",
        "Planned",
        "Reason",
        "Spell",
        "Tool",
        "Topic",
        "Worker",
    )
}
# kind of the directory → what `site.json` has of it: the class, and the fields of another name
OF_SITE = {
    "agents": ("Agent", {"station_code": "code"}),
    "areas": ("Area", {}),
    "campaigns": ("Campaign", {}),
    "dispositions": ("Tree", {"level2_code": "nodes"}),
    "fault_areas": ("FaultArea", {}),
    "help_topics": ("HelpTopic", {}),
    "identity_methods": ("Coded", {}),
    "materials": ("Coded", {}),
    "playbooks": ("Playbook", {}),
    "reasons": ("Reason", {}),
    "seats": ("Station", {"station": "id"}),
    "settings": ("Site", {}),
    "tools": ("Tool", {}),
}
OUTBOUND = {
    "call_from": "from_",
    "call_to": "to",
    "call_days": "days",
    "call_holidays": "holidays",
}
# kind of the directory → the struct that an entry becomes whole, and the fields of another name
WHOLE = {
    "notices": (Notice, {}),
    "sample_plans": (SamplePlan, {"name": "label", "plan_days": "days"}),
    "scorecard_items": (Item, {}),
    "scorecard_sections": (Section, {"name": "label"}),
    "scorecards": (Scorecard, {"name": "label"}),
}
SORTED_BY = "order"  # `site_json` puts what stations list in this order
SHOWN_BY_PAGES = {"shifts.name": ("web/static/people_week.js", "shift.name")}
FOR_PEOPLE = {"holidays.name"}  # which holiday it is, beside its day in the table of them
CHECKED_BY_STATIONS = {"site", "station"}  # whether it is one, and whether it is the station's own
CONFIGS = ("config", "_config")  # what the firmware calls it
INVENTED = "invented"


def texts(node):
    """Every text in quotes."""
    return {
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def handed(node):
    """Every text that a call is handed."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    given = [
        one for call in calls for one in [*call.args, *(each.value for each in call.keywords)]
    ]
    return {one.value for one in given if isinstance(one, ast.Constant)}


def statements(node):
    """Those of a function, and of a `with` in it."""
    for one in node.body:
        if isinstance(one, (ast.With, ast.AsyncWith)):
            yield from statements(one)
        else:
            yield one


def keys_of(node, holder):
    """The keys that are taken of the dict of that name."""
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Load):
            of, key = one.value, one.slice
        elif isinstance(one, ast.Call) and last_name(one.func) == "get" and one.args:
            of, key = getattr(one.func, "value", None), one.args[0]
        else:
            continue
        if isinstance(of, ast.Name) and of.id == holder and isinstance(key, ast.Constant):
            yield key.value


class Firmware:
    """Which keys of its configuration a station reads; `tree`: those of the tree in it."""

    def __init__(self, folder):
        self.trees = {path: ast.parse(path.read_text()) for path in folder.rglob("*.py")}
        config = self.trees.pop(folder / "lib" / "config.py")
        (self.config,) = (one for one in config.body if getattr(one, "name", "") == "Config")
        self.start, *self.methods = (
            one for one in self.config.body if isinstance(one, ast.FunctionDef)
        )
        self.store = self.trees[folder / "lib" / "config_store.py"]

    def stored(self):
        """Attribute or variable → the keys that it is made of."""
        made: dict[str, set[str]] = {}
        for node in ast.walk(self.start):
            if isinstance(node, (ast.Assign, ast.For)):
                value = node.iter if isinstance(node, ast.For) else node.value
                names = {last_name(one) for one in ast.walk(value) if isinstance(one, ast.expr)}
                keys = {*keys_of(value, "data")}.union(*(made.get(name, ()) for name in names))
                for target in [node.target] if isinstance(node, ast.For) else node.targets:
                    made.setdefault(last_name(target), set()).update(keys)
        return made

    @cached_property
    def read(self):
        names = {
            one.attr
            for trees, holders in ((self.trees.values(), CONFIGS), (self.methods, ("self",)))
            for tree in trees
            for one in ast.walk(tree)
            if isinstance(one, ast.Attribute)
            and isinstance(one.ctx, ast.Load)
            and last_name(one.value) in holders
        }
        found = {key for name, keys in self.stored().items() if name in names for key in keys}
        found |= {*keys_of(self.store, "data")}  # what it keeps for others in files
        return {"data": found, "tree": {*keys_of(self.start, "tree")}}


class Host:
    """What the host reads of a site."""

    def __init__(self, sources, told):
        self.sources = sources
        self.told = told
        self.types = TypedReads(sources, SETTINGS | PEOPLE)
        self.publishing = sources.modules[PUBLISHING]

    def published(self):
        """(key, the value that it gets) of a station's configuration."""
        parts = self.publishing.tree.body
        of_it = [one for one in parts if getattr(one, "name", "") != "blocks"]  # a command's
        for node in (node for one in of_it for node in ast.walk(one)):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant):
                        yield key.value, value

    def read(self, classes, carrying):
        """(class, field) of what is read elsewhere, or by the stations."""
        found = set()
        for module in self.sources.judged():
            if module.name not in carrying:
                found |= {*self.types.read_in(module, module.tree)}
        for key, value in self.published():
            if key in self.told["data"]:
                for node in [value, *self._behind(value)]:
                    found |= {*self.types.read_in(self.publishing, node)}
                    found |= self._by_methods(node)
        tree = (SITE + "work", "Tree")  # which is published as it is
        found |= {(tree, name) for name in self.types.fields[tree] if name in self.told["tree"]}
        return {one for one in found if one[0] in classes}

    def _by_methods(self, node):
        """What methods of the site's own classes read that are called here."""
        called = {last_name(one) for one in ast.walk(node) if isinstance(one, ast.Call)}
        found = set()
        for home, name in SETTINGS:
            module = self.sources.modules[home]
            for one in class_of(module.tree, name).body:
                if isinstance(one, ast.FunctionDef) and one.name in called:
                    found |= {*self.types.read_in(module, one)}
        return found

    def _behind(self, value):
        """What the names in `value` stand for: functions, methods, variables."""
        made = {}
        for node in ast.walk(self.publishing.tree):
            if isinstance(node, ast.FunctionDef):
                made[node.name] = node
            elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if not isinstance(node.value, ast.Dict) and "site" not in last_name(target):
                    made.setdefault(last_name(target), node.value)
        todo, found = [value], []
        while todo:
            for one in ast.walk(todo.pop()):
                name = last_name(one) if isinstance(one, (ast.Name, ast.Attribute)) else ""
                if name in made:
                    found.append(made.pop(name))
                    todo.append(found[-1])
        return found

    def fields(self, classes):
        return {(top, name) for top in classes for name in self.types.fields[top]}

    def taken(self):
        """(kind, field) of what the statement that gets such entries takes of them, or a function
        of that module that it calls.
        """
        for module in self.sources.judged():
            if module.name in CARRYING:
                continue
            for function in ast.walk(module.tree):
                if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    continue
                for statement in statements(function):
                    for kind in handed(statement) & KINDS.keys():
                        words = self._said(module, statement, set())
                        yield from ((kind, field) for field in FIELDS[kind] & words)

    def _said(self, module, node, seen):
        words = texts(node)
        for one in ast.walk(node):
            name = getattr(one.func, "id", "") if isinstance(one, ast.Call) else ""
            if name in module.names and name not in seen:
                seen.add(name)
                for each in module.names[name]:
                    words |= self._said(module, each, seen)
        return words


FIELDS = {
    name: {field.name for field in kind.fields} - {*kind.key} | {INVENTED}
    for name, kind in KINDS.items()
}


def class_of(tree, name):
    return next(one for one in tree.body if getattr(one, "name", "") == name)


@pytest.fixture(scope="module")
def firmware():
    found = Firmware(ROOT / "firmware")
    taken = ast.parse(f"self.{INVENTED} = data.get('{INVENTED}_of_stations')")
    found.start.body += taken.body
    return found


@pytest.fixture(scope="module")
def host(firmware):
    sources = Sources(ROOT / "host_tools" / "diadema")
    for name in [*sources.modules]:  # its folder is the root: it has a name only above
        module = sources.modules.pop(name)
        module.name = f"diadema.{name}".rstrip(".")
        sources.modules[module.name] = module
    for home, name in (("description", "Agent"), ("directory.people", "People")):
        described = class_of(sources.modules[SITE + home].tree, name)
        described.body += ast.parse(f"{INVENTED}: str = ''").body
    made = sources.modules[PUBLISHING].tree.body
    made += ast.parse(f"{{'{INVENTED}_of_stations': 1}}").body
    return Host(sources, firmware.read)


def test_every_key_of_a_stations_configuration_is_read(host, firmware):
    published = {key for key, _ in host.published()}
    assert len(published) > 25
    assert published - firmware.read["data"] == CHECKED_BY_STATIONS | {f"{INVENTED}_of_stations"}


def test_every_key_of_the_site_is_read(host):
    left = host.fields(SETTINGS) - host.read(SETTINGS, CARRYING)
    assert sorted(f"{top[1]}.{name}" for top, name in left) == [f"Agent.{INVENTED}"]


def test_every_field_of_the_directory_is_read(host):
    in_site = {(top[1], name) for top, name in host.read(SETTINGS, CARRYING)}
    left = {(kind, name) for kind, names in FIELDS.items() for name in names} - {*host.taken()}
    for kind, name in [*left]:
        top, others = OF_SITE.get(kind, ("", {}))
        other = ("Outbound", OUTBOUND[name]) if name in OUTBOUND else (top, others.get(name, name))
        of, renamed = WHOLE.get(kind, (None, {}))
        whole = of is not None and renamed.get(name, name) in of.__struct_fields__
        if other in in_site or whole or name == SORTED_BY:
            left.remove((kind, name))
    for field, (page, text) in SHOWN_BY_PAGES.items():
        assert text in (ROOT / "host_tools" / "diadema" / page).read_text()
        left.remove((*field.split("."),))
    assert {f"{kind}.{name}" for kind, name in left} == FOR_PEOPLE | {
        f"{kind}.{INVENTED}" for kind in KINDS
    }


def test_everything_that_is_known_of_people_is_read(host):
    left = host.fields(PEOPLE) - host.read(PEOPLE, {TAKING})
    assert sorted(f"{top[1]}.{name}" for top, name in left) == [f"People.{INVENTED}"]
