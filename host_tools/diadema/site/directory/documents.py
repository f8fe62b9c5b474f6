"""Peruvian documents: what a DNI, a carné de extranjería, a passport and a RUC look like."""

import re

DOCUMENTS = ("DNI", "CE", "PASAPORTE")
_SHAPES = {
    "DNI": re.compile(r"\d{8}\Z"),
    "CE": re.compile(r"[A-Z0-9]{9,12}\Z"),  # carné de extranjería: nine digits, older ones longer
    "PASAPORTE": re.compile(r"[A-Z0-9]{5,12}\Z"),
}
_RUC_STARTS = ("10", "15", "16", "17", "20")
_RUC_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def plain(text: str) -> str:
    """Without the blanks, dots and hyphens that people write between digits."""
    return re.sub(r"[\s.\-]", "", text).upper()


def wrong_document(kind: str, number: str) -> str | None:
    """The word of what is wrong, if anything is."""
    if kind == "DNI" and re.fullmatch(r"\d{5,7}", number):
        return "dni_short"  # as when a spreadsheet took the zeros in front
    return None if _SHAPES[kind].match(number) else f"document_{kind.lower()}"


def wrong_ruc(number: str) -> str | None:
    """Eleven digits; the last one checks the others (modulo 11, as SUNAT does)."""
    if not re.fullmatch(r"\d{11}", number):
        return "ruc_length"
    if not number.startswith(_RUC_STARTS):
        return "ruc_start"
    total = sum(int(digit) * weight for digit, weight in zip(number, _RUC_WEIGHTS, strict=False))
    return None if (11 - total % 11) % 10 == int(number[10]) else "ruc_digit"
