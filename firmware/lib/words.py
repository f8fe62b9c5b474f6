"""A catalogue of the station's words, as `lib.words_es` has them."""


def catalogue(text):
    """{key: word} of a text with a line for each, `key = word`.

    Each string that is made is looked for among the program's names first: so none is that is not
    kept.
    """
    words = {}
    parts = iter(text.replace(" = ", "\n").split("\n"))
    for key in parts:
        if key:
            words[key] = next(parts)
    return words
