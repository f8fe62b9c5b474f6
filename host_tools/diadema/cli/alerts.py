"""`diadema alerts`: rules for Prometheus, each with what to do in the language of the run."""

import json
import re

from diadema.cli.run import Data
from diadema.cli.speech import say

_LABELS = ("instance", "seat", "file", "webhook", "schedule", "standby")


def alerts(data: Data = None) -> None:
    """Print rules for Prometheus, over /metrics.

    Example: diadema alerts
    """
    from importlib.resources import files

    from diadema.hub.doctor import LIMITS

    rules = (files("diadema") / "cli" / "alerts.yml").read_text("utf-8")
    rules = re.sub(r"limit\((\w+)\)", lambda found: str(LIMITS[found[1]]), rules)
    print(re.sub(r"say\((\w+)\)", lambda found: _sentence(found[1]), rules), end="")


def _sentence(name: str) -> str:
    """As YAML has it, in which Prometheus fills in the labels of what it found."""
    labels = {label: f"{{{{ $labels.{label} }}}}" for label in _LABELS}
    return json.dumps(say(f"alerts.{name}", **labels), ensure_ascii=False)
