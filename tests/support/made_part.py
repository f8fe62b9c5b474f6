"""The part of a page that a module of `tests` makes from the code: between two comments, of which
the first says how it is made anew.
"""

_END = "<!-- end -->"


def renewed(page: str, module: str, made: str) -> str:
    """The page with `made` in the place of what `python -m tests.MODULE` made before."""
    begin = f"<!-- made by `python -m tests.{module}` -->"
    head, found, rest = page.partition(begin)
    _, ends, tail = rest.partition(_END)
    if not (found and ends):
        raise ValueError(f"no part between {begin} and {_END}")
    return f"{head}{begin}\n{made}\n{_END}{tail}"
