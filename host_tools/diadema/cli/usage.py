"""What was typed wrongly, in the language of the run: what it is, how the command is written, and
where its help is. Typer says these things in English, and by other words in each version.
"""

import re
from pathlib import Path
from typing import Any

import typer

from diadema.cli.run import speak_of
from diadema.cli.speech import say

# Click, which Typer carries inside: its root of all such errors has no name outside
UsageError: Any = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "UsageError")
_HELP_ITSELF = "NoArgsIsHelpError"  # whose help stands there already
_COMMAND = re.compile(r"No such command '(.+?)'\.?(?: Did you mean (.+?)\?)?$")
_TOO_MUCH = re.compile(r"unexpected extra arguments?(?:\(s\))? \((.+)\)")
_VALUES = (  # what a value is said to be; its group is what it is to be
    (re.compile(r"valid integer"), "integer"),
    (re.compile(r"valid (?:number|float)"), "number"),
    (re.compile(r"less than or equal to (\S+)"), "most"),
    (re.compile(r"greater than or equal to (\S+)"), "least"),
    (re.compile(r"is not one of (.+?)\.?$"), "choice"),
    (re.compile(r"does not match the formats? "), "day"),
)


def mistyped(error: Any, words: list[str]) -> str:
    """Of `diadema WORDS`. Empty where the help is said already."""
    if type(error).__name__ == _HELP_ITSELF:
        return ""
    speak_of(_data_of(words))
    lines = [f"diadema: {_what(error)}"]
    if (context := error.ctx) is not None:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        lines.append(say("usage.written", command=context.command_path, pieces=pieces))
        lines.append(say("usage.help", command=context.command_path))
    return "\n".join(lines)


def _what(error: Any) -> str:
    kind, message = type(error).__name__, str(error.message)
    if kind == "MissingParameter":
        option = error.param.param_type_name == "option"
        return say("usage.no_option" if option else "usage.no_argument", name=_name(error.param))
    if kind == "BadParameter" and error.param is not None:
        return say("usage.bad_value", name=_name(error.param), wanted=_wanted(message))
    if kind == "NoSuchOption":
        return _perhaps("usage.unknown_option", error.option_name, error.possibilities or ())
    if kind == "BadOptionUsage":
        key = "usage.takes_none" if "does not take" in message else "usage.takes_value"
        return say(key, name=error.option_name)
    if found := _COMMAND.search(message):
        return _perhaps("usage.unknown_command", found[1], re.findall(r"'(.+?)'", found[2] or ""))
    if found := _TOO_MUCH.search(message):
        return say("usage.too_much", words=found[1])
    return str(error.format_message())


def _perhaps(key: str, name: str, others: Any) -> str:
    said = say(key, name=name)
    return said + say("usage.perhaps", names=", ".join(sorted(others))) if others else said


def _wanted(message: str) -> str:
    for pattern, key in _VALUES:
        if found := pattern.search(message):
            most = found[1].replace("'", "") if pattern.groups else ""
            return say(f"usage.{key}", wanted=most)
    return f"«{message}»"


def _name(parameter: Any) -> str:
    """As it is typed, or as the help has it."""
    if parameter.param_type_name == "option":
        return " / ".join(parameter.opts)
    return str(parameter.metavar or parameter.name.upper())


def _data_of(words: list[str]) -> Path | None:
    for at, word in enumerate(words):
        if word.startswith("--data="):
            return Path(word.partition("=")[2])
        if word == "--data" and words[at + 1 :]:
            return Path(words[at + 1])
    return None
