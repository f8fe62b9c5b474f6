"""/ui/people: people and places, as a list of each kind and the roster as a week."""

from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.site.directory.people_of import day_at
from diadema.web.page_parts import ModuleElement
from diadema.web.people.models import specs
from diadema.web.shell import Refused, open_page
from diadema.web.web_app import WebApp

PATH = "/ui/people"
GROUPS = {  # the kinds, as they are found
    "people": ("agents", "teams", "supervisors", "employers"),
    "time": ("shifts", "roster", "holidays"),
    "work": (
        "queues", "campaigns", "dispositions", "reasons", "targets", "alert_limits",
        "playbooks", "identity_methods",
    ),
    "help": (
        "help_topics", "helpers", "help_results", "fault_areas", "fault_targets", "tools",
    ),
    "quality": (
        "notices", "scorecards", "scorecard_sections", "scorecard_items", "sample_plans",
        "conflicts", "sample_exclusions",
    ),
    "centre": ("settings", "seats", "areas", "materials"),
}  # fmt: skip
_SERVERS = ("wrong.", "note.", "field.", "about.", "result.")  # words that the page is not told


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/people")
    def people(request: Request) -> None:
        try:
            page = open_page(web_app, request, "people", PATH, "people", "quality")
        except Refused:
            return
        words = {name: word for name, word in page.words.items() if not name.startswith(_SERVERS)}
        kinds = specs(page.language, page.person)
        common = ("by", "reason", "valid_from", "valid_until")
        words |= {f"field.{name}": page.words[f"field.{name}"] for name in common}
        options = {
            "words": words,
            "kinds": kinds,
            "groups": _groups(words, [kind["name"] for kind in kinds]),
            "publishes": page.person.may("people"),
            "language": page.language,
            "zone": web_app.floor.site.zone,
            "today": day_at(web_app.data, web_app.pace.now_ms()).isoformat(),
        }
        ui.add_head_html('<link rel="stylesheet" href="/static/people.css">')
        with ui.element("main").props("id=main").classes("page people"):
            ModuleElement("people.js", options)


def _groups(words: Mapping[str, str], known: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Of the kinds that somebody may change."""
    groups = (
        (words[f"group.{name}"], [kind for kind in kinds if kind in known])
        for name, kinds in GROUPS.items()
    )
    return [(word, kinds) for word, kinds in groups if kinds]
