"""How a duration and a percent are written, the same on every page, screen and file."""

NOTHING = "—"


def clock(seconds: int | None) -> str:
    """`m:ss`, from an hour on `h:mm:ss`; `—` for what there is not."""
    if seconds is None:
        return NOTHING
    sign, whole = ("−" if seconds < 0 else ""), abs(seconds)
    if whole < 3600:
        return f"{sign}{whole // 60}:{whole % 60:02}"
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def percent(value: float | None, language: str = "es") -> str:
    """One decimal, with the language's decimal mark; `—` for what there is not."""
    if value is None:
        return NOTHING
    written = f"{value:.1f}".replace("-", "−")
    return f"{written if language == 'en' else written.replace('.', ',')} %"
