"""A catalogue of the station's words, as `lib.words_es` has them."""


def catalogue(text):
    """{key: word} of a text with a line for each, `key: word`."""
    words = {}
    for line in text.split("\n"):
        key, mark, word = line.partition(": ")
        if mark:
            words[key] = word
    return words
