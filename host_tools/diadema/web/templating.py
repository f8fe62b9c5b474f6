"""HTML from Jinja2 templates, with every value escaped.

A template is compiled once a process, when it is first needed.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


def environment(folder: Path) -> Environment:
    """The templates of a folder; a name that a template is not given raises UndefinedError."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return made


_PAGES = environment(Path(__file__).parent / "templates")


def template(name: str) -> Template:
    """One of `templates/`, for what must be rendered quickly, or when the disk is not readable."""
    return _PAGES.get_template(name)


def render(name: str, /, **values: object) -> str:
    """HTML of one of `templates/`."""
    return template(name).render(values)
