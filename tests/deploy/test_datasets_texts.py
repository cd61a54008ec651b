"""deploy/datasets/imdb and toxic: from texts to hosted token ids."""

import collections
import csv
import io
import tarfile
import unittest
import zipfile

import numpy as np

import published
import words

LETTERS = set("abcdefghijklmnopqrstuvwxyz0123456789")
STOCK = ("the a of and film movie good bad Great don't it's 10 plot acting never ever again café naïve O'Clock "
         "re-made 'quoted' U.S.A. 1999 rhythm’s").split()


def text_of(source, count):
    """Some words, of which the first are the commonest, and signs between them."""
    picked = np.minimum(source.geometric(0.15, count) - 1, len(STOCK) - 1)
    return "".join(STOCK[at] + source.choice([" ", " ", ", ", "... ", "<br /><br />", "\n", "!"]) for at in picked)


def words_of(text):
    """A text's words, by a look at each character."""
    found, word, held = [], "", False  # held: an apostrophe that belongs to the word if a letter follows
    for sign in text + " ":
        small = sign.lower() if sign.isascii() else sign
        if small in LETTERS:
            word, held = word + "'" * held + small, False
        elif sign == "'" and word and not held:
            held = True
        else:
            found, word, held = found + [word] * bool(word), "", False
    return found


def ids_of(texts, known):
    """Rows of ids by a vocabulary, a list of words from id 2 on."""
    ids = {word: number for number, word in enumerate(known, 2)}
    return [[ids.get(word, 1) for word in words_of(text)] or [1] for text in texts]


def vocabulary_of(texts, most):
    """The commonest words, then by alphabet: counted another way."""
    counts = collections.Counter(word for text in texts for word in words_of(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


class Tokens(unittest.TestCase):
    """words.py."""

    def test_words_are_runs_of_letters_digits_and_inner_apostrophes(self):
        for text, wanted in (("Don't STOP", ["don't", "stop"]), ("'tis o''clock'", ["tis", "o", "clock"]),
                             ("10/10 caf\u00e9s", ["10", "10", "caf", "s"]),
                             ("\u0130stanbul \u212aelvin", ["stanbul", "elvin"]),
                             ("a_b-c", ["a", "b", "c"]), ("!?", []), ("", [])):
            self.assertEqual([word.decode() for word in words.words(text)], wanted)
            self.assertEqual(words_of(text), wanted)

    def test_equally_common_words_are_in_order_of_their_bytes(self):
        known = words.Vocabulary(["b c a a 1 b z"], 4)
        self.assertEqual(known.words, [b"a", b"b", b"1", b"c"])
        self.assertEqual(known.ids(words.words("z c b x a")), [1, 5, 3, 1, 2])


class Promises:
    """What both pages promise. `training` and `testing` are pairs (text, labels as a row of floats)."""

    training = testing = source = page = None

    @staticmethod
    def cleaned(text):
        """Without markup, where the set has some."""
        return text

    def test_rows_are_the_ids_of_the_words(self):
        known = vocabulary_of([self.cleaned(text) for text, _ in self.training], 30000)
        for split, pairs in (("train", self.training), ("test", self.testing)):
            found = self.pairs(published.set_name(self.page, split))
            wanted = ids_of([self.cleaned(text) for text, _ in pairs], known)
            self.assertEqual(len(found), len(pairs))
            self.assertEqual(len(found), len(wanted))
            for (x, y), row, (_, label) in zip(found, wanted, pairs):
                self.assertEqual(x.tolist(), row)
                np.testing.assert_array_equal(y, label)

    def test_the_vocabulary_is_written_beside(self):
        known = vocabulary_of([self.cleaned(text) for text, _ in self.training], 30000)
        self.assertEqual((self.folder / f"sets/{self.page}.words.txt").read_text("utf-8").splitlines(),
                         ["<pad>", "<unknown>", *known])

    def test_an_epoch_is_mixed(self):
        rows = self.pairs(self.page)
        self.check_mixed_epoch(self.page, [x for x, _ in rows], np.stack([y for _, y in rows]))

    def test_words_and_longest_are_options(self):
        self.run_line(f"deploy/datasets/{self.page}.py {self.source} few --words 5 --longest 3 --any-files")
        known = vocabulary_of([self.cleaned(text) for text, _ in self.training], 5)
        wanted = [row[:3] for row in ids_of([self.cleaned(text) for text, _ in self.testing], known)]
        ids = np.fromfile(self.folder / f"few/{self.page}-test/data.bin", "<i4")
        np.testing.assert_array_equal(ids, np.concatenate(wanted))
        self.assertLessEqual(ids.max(), 6)
        self.refused(self.source, "--words is 0; must be 1 or more", options="--words 0")

    def check_requests(self, facts, batch, check):
        self.assertEqual(facts["count"], len(self.training))
        self.assertEqual(batch["mixed"].shape[1], batch["lengths"].max())
        self.assertEqual(len(check["mixed"]), len(self.testing))

    def test_texts_without_a_word_are_told(self):
        self.assertIn("1 texts without a word are one unknown word each", self.told)


def some_pairs(seed, count, labels):
    """Texts of the stock with labels in turn, one of them without a word."""
    source = np.random.default_rng(seed)
    return [(text_of(source, source.integers(1, 40)) if row != 3 else "?!", labels[row % len(labels)])
            for row in range(count)]


class Imdb(Promises, published.Published):
    page, source = "imdb", "aclImdb"
    training = [*some_pairs(1, 12, [[1, 0]]), *some_pairs(2, 14, [[0, 1]])[4:]]
    testing = [*some_pairs(3, 3, [[1, 0]]), *some_pairs(4, 5, [[0, 1]])]

    @classmethod
    def twin(cls, folder):
        """By the README of the archive."""
        with tarfile.open(folder / "aclImdb_v1.tar.gz", "w:gz") as archive:
            def add(name, text):
                member = tarfile.TarInfo(f"aclImdb/{name}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
            for name in ("README", "imdb.vocab", "imdbEr.txt", "train/labeledBow.feat", "train/urls_pos.txt",
                         "train/unsupBow.feat", "test/urls_neg.txt"):
                add(name, "the film\n")
            add("train/unsup/0_0.txt", "unheard words")
            for split, pairs in (("train", cls.training), ("test", cls.testing)):
                for kind, name in enumerate(("neg", "pos")):
                    texts = [text for text, label in pairs if label[kind]]
                    for number, text in reversed(list(enumerate(texts))):  # a folder has no order of its own
                        add(f"{split}/{name}/{number}_{(2, 9)[kind]}.txt", text)

    @staticmethod
    def cleaned(text):
        return text.replace("<br />", " ")

    def test_fewer_files_than_published_are_refused(self):
        self.refused("aclImdb", "reviews for train: there are 22; 25000 are published", options="")

    def test_a_broken_folder_is_named(self):
        bad = self.folder / "bad"
        self.refused("bad", "'bad/train/neg' is not there; must be a folder of the unpacked archive")
        for place in ("train/neg", "train/pos", "test/neg", "test/pos"):
            (bad / place).mkdir(parents=True)
            (bad / place / "0_1.txt").write_text("fine", "utf-8")
        (bad / "test/pos/0_1.txt").write_bytes(b"caf\xe9")
        self.refused("bad", "'bad/test/pos/0_1.txt': byte 3 is not UTF-8")
        (bad / "test/pos/0_1.txt").rename(bad / "test/pos/x.txt")
        self.refused("bad", "'bad/test/pos/x.txt': must be called NUMBER_RATING.txt")


CLASSES = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def table(columns, records):
    """A CSV file as Kaggle's: fields with commas, quotes or line breaks are quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *records])
    return text.getvalue().encode()


class Toxic(Promises, published.Published):
    page, source = "toxic", "toxic"
    training = [(f'He said ""yes"",\n{text}', label) for text, label in
                some_pairs(5, 23, [[0] * 6, [1, 0, 1, 0, 1, 0], [1] * 6])] + [("=====\n", [0] * 6)]
    testing = some_pairs(6, 3, [[0] * 6, [1, 0, 0, 0, 0, 0]])

    @classmethod
    def twin(cls, folder):
        """By the data page of the challenge, as copies of the set quote it."""
        with zipfile.ZipFile(folder / "jigsaw-toxic-comment-classification-challenge.zip", "w") as archive:
            for name, data in {**cls.files(), "sample_submission.csv": b"id\n"}.items():
                inner = io.BytesIO()
                with zipfile.ZipFile(inner, "w") as packed:
                    packed.writestr(name, data)
                archive.writestr(f"{name}.zip", inner.getvalue())

    @classmethod
    def files(cls):
        """The tables. Between the scored comments of the test there are others, and its labels have another order."""
        train = [(f"{row:016x}", text, *label) for row, (text, label) in enumerate(cls.training)]
        test = [(f"{row:016x}", text, *label) for row, (text, label) in enumerate(cls.testing, 100)]
        others = [(f"{row:016x}", "not scored", *[-1] * 6) for row in (200, 201)]
        test = [others[0], *test, others[1]]
        return {"train.csv": table(("id", "comment_text", *CLASSES), train),
                "test.csv": table(("id", "comment_text"), [record[:2] for record in test]),
                "test_labels.csv": table(("id", *CLASSES), [(record[0], *record[2:]) for record in reversed(test)])}

    def test_comments_that_were_not_scored_are_told(self):
        self.assertIn("2 of 5 comments have labels of -1", self.told)
        self.assertEqual((self.folder / "sets/toxic.classes.txt").read_text("utf-8").split(), list(CLASSES))

    def test_fewer_comments_than_published_are_refused(self):
        self.refused("toxic", "labelled comments for train: there are 24; 159571 are published", options="")

    def test_a_broken_table_is_named(self):
        files = self.files()
        place = self.folder / "broken"
        place.mkdir()
        for name, change, text in (
                ("train.csv", lambda data: data.replace(b"threat", b"threats", 1),
                 "column threat must be there once; line 1 names id, comment_text, toxic"),
                ("train.csv", lambda data: data.replace(b"identity_hate", b"toxic", 1),
                 "column toxic must be there once"),
                ("train.csv", lambda data: data[:-2] + b"\n", "row 24 has identity_hate ''; must be 0 or 1"),
                ("train.csv", lambda data: data[:-4] + b"\n", "row 24, which ends in line "),
                ("train.csv", lambda data: data[:-2] + b"2\n", "row 24 has identity_hate '2'; must be 0 or 1"),
                ("train.csv", lambda data: data + b'x,"open', "unexpected end of data"),
                ("train.csv", lambda data: data + b"x,\xff,0,0,0,0,0,0\n", "is not UTF-8"),
                ("train.csv", lambda data: b"", "line 1 names nothing"),
                ("test.csv", lambda data: data + b"f,new\n", "row 6 has id 'f', which test_labels.csv lacks"),
                ("test.csv", lambda data: data + data.splitlines(keepends=True)[1], "which a row before has"),
                ("test.csv", lambda data: b"".join(data.splitlines(keepends=True)[:-1]), "lacks id '00000000000000c9'"),
                ("test_labels.csv", lambda data: data.replace(b"-1", b"0", 1), "row 1 has -1 in some columns"),
                ("test_labels.csv", lambda data: data + data.splitlines(keepends=True)[1], "as a row before")):
            with self.subTest(text):
                for file, data in files.items():
                    (place / file).write_bytes(change(data) if file == name else data)
                self.refused("broken", f"'broken/{name}'", text)


if __name__ == "__main__":
    unittest.main()
