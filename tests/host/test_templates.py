"""The HTML templates: each has its reader, and none lets a value through as HTML."""

import re
from pathlib import Path

import pytest
from diadema.web import templating
from jinja2 import UndefinedError, meta

HOST_TOOLS = Path(__file__).parents[2] / "host_tools"
FOLDERS = [HOST_TOOLS / "diadema/web/templates", HOST_TOOLS / "diadema_sim/desk/templates"]
TEMPLATES = [path for folder in FOLDERS for path in sorted(folder.iterdir())]
_UNSAFE = re.compile(r"\|\s*safe\b|autoescape|Markup")
_UNQUOTED = re.compile(r"\s[\w-]+=\{\{")  # a value may end such an attribute


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_in_a_template_is_unescaped(path: Path) -> None:
    assert path.suffix == ".html"
    text = path.read_text("utf-8")
    assert _UNSAFE.search(text) is None
    assert _UNQUOTED.search(text) is None


def test_each_template_is_rendered_or_is_part_of_one_that_is() -> None:
    parts = set()
    for folder in FOLDERS:
        made = templating.environment(folder)
        for path in folder.iterdir():
            parts |= {*meta.find_referenced_templates(made.parse(path.read_text("utf-8")))}
    code = "\n".join(path.read_text("utf-8") for path in HOST_TOOLS.rglob("*.py"))
    assert [
        one.name for one in TEMPLATES if one.name not in parts and f'"{one.name}"' not in code
    ] == []


def test_a_value_is_text_and_a_missing_one_an_error() -> None:
    page = templating.render("enter.html", onward='/ui/?a="><script>&b')
    assert page.count("&#34;&gt;&lt;script&gt;&amp;b") == 2 and "<script>" not in page
    with pytest.raises(UndefinedError, match="onward"):
        templating.render("enter.html")


def test_words_in_a_script_cannot_end_it() -> None:
    made = templating.template("shell_head.html")
    page = made.render(build="0123", words={"a": "</script><b> ñ"})
    assert page.count("</script>") == 6 and '"\\u003c/script\\u003e\\u003cb\\u003e ñ"' in page
