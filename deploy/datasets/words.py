"""Texts as token ids: which words a text has, the vocabulary, and the ids."""

import heapq
import re
from collections import Counter

PAD, UNKNOWN, FIRST = 0, 1, 2  # ids: of padding, of words outside of the vocabulary, of the commonest word
WORD = re.compile(rb"[a-z0-9]+(?:'[a-z0-9]+)*")


def words(text):
    """Runs of the letters a to z and of digits, with apostrophes between them: "don't", "10", "o'clock". Capitals
    become small; all other characters, letters with accents too, are spaces. Bytes, for no table of Unicode, which
    differs between versions of Python, has a part in it."""
    return WORD.findall(text.encode("utf-8", "surrogateescape").lower())


class Vocabulary:
    """The commonest words, of equally common ones those that come first by their bytes; and their ids."""

    def __init__(self, texts, size):
        self.counts = Counter()
        for text in texts:
            self.counts.update(words(text))
        self.words = [word for _, word in heapq.nsmallest(
            size, ((-count, word) for word, count in self.counts.items()))]
        self._ids = {word: number for number, word in enumerate(self.words, FIRST)}

    def ids(self, found):
        """Those of a text's words. A text without a word is one unknown word, because a row must have an element."""
        return [self._ids.get(word, UNKNOWN) for word in found] or [UNKNOWN]

    def write(self, path):
        """A line a word, and an id a line: line 1 is that of id 0."""
        with open(path, "wb") as file:
            file.writelines(word + b"\n" for word in [b"<pad>", b"<unknown>", *self.words])
