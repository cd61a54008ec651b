"""deploy/datasets/speech_commands: from wav files to hosted spectrograms."""

import io
import struct
import tarfile
import unittest

import numpy as np

import published
import log_mel
import wav

WORDS = ("backward bed bird cat dog down eight five follow forward four go happy house learn left marvin nine no off "
         "on one right seven sheila six stop three tree two up visual wow yes zero").split()
SHORT, LONG = ("bed/0000aaaa_nohash_0.wav", 11146), ("yes/0000bbbb_nohash_0.wav", 16500)
NAMES = [f"{speaker}_nohash_0.wav" for speaker in ("0000aaaa", "0000bbbb", "00f0204f", "0a7c2a8d")]
VALIDATION, TEST = NAMES[2], NAMES[3]



def wav_file(samples, rate=16000, channels=1, bits=16):
    """A RIFF file, written by its description."""
    data = np.asarray(samples, "<i2").tobytes()
    frame = channels * bits // 8
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * frame, frame, bits) +
            b"data" + struct.pack("<I", len(data)) + data)


def sound(file):
    """The samples of a file of the twin: a tone and noise of its own, and silence in some."""
    source = np.random.default_rng(list(file.encode()))
    count = dict([SHORT, LONG]).get(file, 16000)
    if file.startswith("zero/0000aaaa"):
        return np.zeros(count, "<i2")
    tone = np.sin(2 * np.pi * source.uniform(100, 7000) * np.arange(count) / 16000)
    return np.round(8000 * tone + source.normal(size=count) * 200).astype("<i2")


def spectrograms(sounds):
    """The same as the command's, written another way: the transform as a sum of cosines and sines, the mirrored ends
    by their indices, and the bands from the corners of their triangles by interpolation."""
    whole = np.zeros((len(sounds), 16000))
    for row, samples in zip(whole, sounds):
        row[:min(16000, len(samples))] = samples[:16000] / 2.0**15
    def hertz(mel):
        return 200 * mel / 3 if mel <= 15 else 1000 * np.exp((mel - 15) * np.log(6.4) / 27)
    top = 15 + np.log(8) / np.log(6.4) * 27
    ends = [hertz(top * i / 33) for i in range(34)]
    bins = np.arange(1025) * 7.8125
    bands = np.stack([np.interp(bins, ends[m:m + 3], [0, 2 / (ends[m + 2] - ends[m]), 0]) for m in range(32)])
    at = np.abs(512 * np.arange(32)[:, None] + np.arange(-1024, 1024))
    parts = whole[:, np.where(at > 15999, 2 * 15999 - at, at)] * np.sin(np.pi * np.arange(2048) / 2048) ** 2
    angles = np.outer(np.arange(2048), np.arange(1025)) % 2048 * (np.pi / 1024)
    flat = parts.reshape(-1, 2048)
    power = ((flat @ np.cos(angles)) ** 2 + (flat @ np.sin(angles)) ** 2).reshape(len(sounds), 32, 1025)
    level = np.log10(np.maximum(bands @ power.transpose(0, 2, 1), 1e-10))
    return np.clip(level - level.max((1, 2), keepdims=True), -8, 0) / 8 + 0.5


class Bands(unittest.TestCase):
    def test_bands_are_those_that_librosa_is_documented_to_have(self):
        found = log_mel.bands(22050, 2048, 128, 0.0, 11025.0)
        np.testing.assert_allclose(found[0, :6], [0, 0.016182853, 0.032365706, 0.028990088, 0.012807235, 0],
                                   atol=1e-8)
        np.testing.assert_allclose(found[1, :9], [0, 0, 0, 0.009779236, 0.025962089, 0.035393705, 0.019210852,
                                                  0.003027999, 0], atol=1e-8)


class Files(unittest.TestCase):
    def test_chunks_of_other_kinds_are_passed_over(self):
        samples = np.arange(-50, 50)
        plain = wav_file(samples)
        odd = plain[:36] + b"LIST" + struct.pack("<I", 3) + b"abc\0" + plain[36:] + b"more"
        with published.folder() as place:
            (place / "x.wav").write_bytes(odd)
            np.testing.assert_array_equal(wav.read(place / "x.wav"), samples)


class Speech(published.Published):
    page = "speech_commands"

    @classmethod
    def twin(cls, folder):
        """By arXiv 1804.03209, and what TensorFlow's and Hugging Face's catalogs say of the archive."""
        with tarfile.open(folder / "speech_commands_v0.02.tar.gz", "w:gz", compresslevel=1) as archive:
            def add(name, data):
                member = tarfile.TarInfo(f"./{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            for name, chosen in (("validation_list.txt", VALIDATION), ("testing_list.txt", TEST)):
                add(name, "".join(f"{word}/{chosen}\n" for word in WORDS).encode())
            add("README.md", b"# Speech Commands Data Set v0.02\n")
            add("LICENSE", b"Creative Commons\n")
            add("_background_noise_/README.md", b"noise\n")
            add("_background_noise_/pink_noise.wav", wav_file(np.ones(32000)))
            for word in WORDS:
                for name in NAMES:
                    add(f"{word}/{name}", wav_file(sound(f"{word}/{name}")))

    def check_rows(self, split, x, y):
        """All class numbers; and the rows of some words, short, long and silent ones too, by our own computation."""
        names = {"train": NAMES[:2], "val": [VALIDATION], "test": [TEST]}[split]
        files = [(word, name) for word in WORDS for name in names]
        np.testing.assert_array_equal(y, np.eye(35)[[WORDS.index(word) for word, _ in files]])
        some = [row for row, (word, _) in enumerate(files) if word in ("bed", "on", "right", "yes", "zero")]
        wanted = spectrograms([sound("/".join(files[row])) for row in some])
        np.testing.assert_allclose(np.asarray(x)[some], wanted, atol=2e-6)

    def test_rows_are_log_mel_spectrograms_of_the_files_in_order(self):
        for split in ("train", "val", "test"):
            x, y = zip(*self.pairs(published.set_name("speech", split)))
            self.assertEqual(x[0].dtype, np.float32)
            self.check_rows(split, x, y)

    def test_short_and_long_files_are_told(self):
        self.assertIn("speech: 70 files, of which 1 are shorter than a second and padded with zeros, and 1 "
                      "longer and cut", self.told)

    def test_classes_are_written_beside(self):
        self.assertEqual((self.folder / "sets/speech.classes.txt").read_text("utf-8").split(), WORDS)

    def test_an_epoch_is_mixed(self):
        rows = self.pairs("speech")
        self.check_mixed_epoch("speech", [x for x, _ in rows], np.stack([y for _, y in rows]))

    def check_requests(self, facts, batch, check):
        self.assertEqual(facts["count"], 70)
        self.assertEqual(batch["mixed"].shape, (64, 32, 32))
        self.check_rows("val", check["mixed"], check["labels"])

    def test_twelve_classes_have_unknown_words_and_silence(self):
        self.run_line("deploy/datasets/speech_commands.py speech twelve --task 12 --any-files")
        classes = (self.folder / "twelve/speech12.classes.txt").read_text("utf-8").split()
        self.assertEqual(classes, "unknown silence yes no up down left right on off stop go".split())
        labels = np.fromfile(self.folder / "twelve/speech12/labels.bin", "<i4")
        wanted = [classes.index(word) if word in classes else 0 for word in WORDS for _ in range(2)]
        self.assertEqual(labels.tolist(), wanted + [1] * 7)

    def test_fewer_files_than_published_are_refused(self):
        self.refused("speech", "wav files for train: there are 70; 84843 are published", options="")

    def test_a_broken_file_is_named(self):
        good = wav_file(sound("yes/x"))
        for data, text in ((good[:5000], "it ends early: 2478 of 16000 samples are there"),
                           (good[:30], "it has no format"), (good[:40], "it has no samples"),
                           (wav_file(sound("yes/x"), rate=8000), "samples a second: it has 8000; must be 16000"),
                           (wav_file(sound("yes/x"), channels=2), "channels: it has 2; must be 1"),
                           (wav_file(sound("yes/x"), bits=8), "bits a sample: it has 8; must be 16"),
                           (good.replace(b"\x10\0\0\0\1\0", b"\x10\0\0\0\3\0"), "format: it has 3; must be 1"),
                           (wav_file([]), "it has no samples"), (b"", "it does not begin as a wav file does"),
                           (b"ID3" + bytes(100), "it does not begin as a wav file does")):
            with self.subTest(text):
                self.small(data)
                self.refused("small", f"'small/bed/{NAMES[0]}': ", text)

    def small(self, data):
        """Two words in the layout, one of which has this file."""
        for word in ("bed", "yes"):
            (self.folder / "small" / word).mkdir(parents=True, exist_ok=True)
            for name in NAMES:
                (self.folder / "small" / word / name).write_bytes(wav_file(sound(f"{word}/{name}")))
        (self.folder / "small/bed" / NAMES[0]).write_bytes(data)
        (self.folder / "small/validation_list.txt").write_text(f"bed/{VALIDATION}\n", "utf-8")
        (self.folder / "small/testing_list.txt").write_text(f"bed/{TEST}\n", "utf-8")

    def test_a_list_that_names_what_is_not_there_is_refused(self):
        self.small(wav_file(sound("yes/x")))
        (self.folder / "small/testing_list.txt").write_text(f"bed/{TEST}\nbed/none.wav\n", "utf-8")
        self.refused("small", "'small/testing_list.txt': line 2 names 'bed/none.wav', which is not there")
        (self.folder / "small/testing_list.txt").write_text(f"bed/{VALIDATION}\n", "utf-8")
        self.refused("small", f"bed/{VALIDATION} is in both validation_list.txt and testing_list.txt")


if __name__ == "__main__":
    unittest.main()
