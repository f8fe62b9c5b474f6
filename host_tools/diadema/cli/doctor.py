"""`diadema doctor`: what is wrong, and what to do; nothing is changed."""

import typer

from diadema.cli.run import AsJson, Clock, Data, Run
from diadema.cli.speech import language, say
from diadema.words import said


def doctor(data: Data = None, as_json: AsJson = False, clock: Clock = None) -> None:
    """Say what is wrong and what to do; change nothing.

    Exit code 1 when something is to be done.

    Example: diadema doctor
    """
    from diadema.hub.doctor import examine

    run = Run(data, clock, as_json=as_json)
    found = examine(run.data, run.clock)
    lines = [(one.wrong, str(said(one.said, language()))) for one in found]
    wrong = sum(one.wrong for one in found)
    run.answer(
        [{"wrong": is_wrong, "said": line} for is_wrong, line in lines],
        *(
            say("doctor.wrong" if is_wrong else "doctor.note", what=line)
            for is_wrong, line in lines
        ),
        say("doctor.to_do", count=wrong) if wrong else say("doctor.right"),
    )
    raise typer.Exit(1 if wrong else 0)
