#!/usr/bin/python3
"""Makes hosted sets of Google Speech Commands v0.02; speech_commands.md says what comes out."""

import pathlib

import numpy as np

import common
import log_mel
import wav

COUNTS = {"train": 84843, "val": 9981, "test": 11005}  # files that are published
LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
TASK_12 = ("unknown", "silence", *COMMANDS)  # in the authors' order
SILENT = 10  # so many rows there are for each row of silence
ROW = 4 * log_mel.MELS * log_mel.FRAMES  # bytes
SILENCE = np.zeros(log_mel.LENGTH, "<i2")


def classes_of(folder, task):
    """The classes' names, and the class number of each word."""
    found = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "_.")
    if not found:
        raise common.Refused(f"'{folder}' has no folders of words; must be the unpacked archive")
    if task == 35:
        return found, {word: number for number, word in enumerate(found)}
    missing = [word for word in COMMANDS if word not in found]
    if missing:
        raise common.Refused(f"'{folder}' has no folder {missing[0]}; --task 12 needs {', '.join(COMMANDS)}")
    return TASK_12, {word: TASK_12.index(word) if word in COMMANDS else 0 for word in found}


def files_of(folder, words):
    """All wav files as WORD/NAME.wav, in order of their words and names."""
    return [f"{word}/{path.name}" for word in words for path in sorted((folder / word).iterdir())
            if path.suffix == ".wav"]


def listed(path, files):
    """The files that a list names."""
    lines = path.read_text("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if line not in files:
            raise common.Refused(f"'{path}': line {number} names {line!r}, which is not there")
    return set(lines)


def splits_of(folder, words):
    """The files of each set. What no list names is for training."""
    files = files_of(folder, words)
    known = set(files)
    chosen = {split: listed(folder / name, known) for split, name in LISTS.items()}
    both = sorted(chosen["val"] & chosen["test"])
    if both:
        raise common.Refused(f"'{folder}': {both[0]} is in both {' and '.join(LISTS.values())}")
    chosen["train"] = known - chosen["val"] - chosen["test"]
    return {split: [file for file in files if file in chosen[split]] for split in COUNTS}


def sound_of(path):
    """The samples of a file."""
    try:
        return wav.read(path)
    except wav.NotSound as error:
        raise common.Refused(f"'{path}': {error}") from None


def prepare(folder, files, number_of, silent, arrays):
    """Writes the rows and labels of one set; how many files were shorter and longer than a second."""
    short = long = 0
    with common.Npy(arrays[0], "<f4", (log_mel.MELS, log_mel.FRAMES)) as x, common.Npy(arrays[1], "<i8") as y:
        for file in files:
            samples = sound_of(folder / file)
            short, long = short + (len(samples) < log_mel.LENGTH), long + (len(samples) > log_mel.LENGTH)
            x.write(log_mel.log_mel(samples)[None])
            y.write([number_of[file.split("/")[0]]])
        for _ in range(silent):
            x.write(log_mel.log_mel(SILENCE)[None])
            y.write([TASK_12.index("silence")])
    return short, long


def make(given, targets, splits, names, number_of):
    """Imports the sets; all files are read before the first."""
    silent = {split: 0 if given.task == 35 else len(files) // SILENT for split, files in splits.items()}
    size = ROW * (sum(map(len, splits.values())) + sum(silent.values()))
    common.check_space(targets["train"], size, given.scratch, size)
    with common.scratch(targets["train"], given.scratch) as scratch:
        arrays = {split: (scratch / f"{split}-x.npy", scratch / f"{split}-y.npy") for split in splits}
        for split, files in splits.items():
            short, long = prepare(given.folder, files, number_of, silent[split], arrays[split])
            print(f"{targets[split]}: {len(files)} files, of which {short} are shorter than a second and padded with "
                  f"zeros, and {long} longer and cut; {silent[split]} rows of silence added", flush=True)
        for split, target in targets.items():
            common.import_set(target, "npy", *arrays[split], options=("--classes", len(names)))
    common.write_names(f"{targets['train']}.classes.txt", names)


def main():
    parser = common.arguments(__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="the unpacked archive: folders of words, and two lists")
    parser.add_argument("sets", type=pathlib.Path, help="where the sets go")
    parser.add_argument("--task", type=int, choices=(35, 12), default=35,
                        help="35 (default): a class a word; 12: ten commands, other words, and silence")
    given = parser.parse_args()
    title = "speech" if given.task == 35 else "speech12"
    targets = common.new_sets(given.sets, title, COUNTS)
    names, number_of = classes_of(given.folder, given.task)
    splits = splits_of(given.folder, number_of)
    for split, files in splits.items():
        common.check_count(f"'{given.folder}', wav files for {split}", len(files), COUNTS[split], given.any_files)
    make(given, targets, splits, names, number_of)


if __name__ == "__main__":
    common.run(main)
