"""Hosted sets of texts: rows of token ids, each as long as its text."""

import pathlib

import common
import words


def arguments(description):
    """A parser with what all such commands take."""
    parser = common.arguments(description)
    parser.add_argument("folder", type=pathlib.Path, help="the unpacked archive")
    parser.add_argument("sets", type=pathlib.Path, help="where the sets go")
    parser.add_argument("--words", type=int, default=30000, help="size of the vocabulary (30000)")
    parser.add_argument("--longest", type=int, help="words of a text that are kept (default: all)")
    return parser


def parsed(parser):
    """The arguments, checked."""
    given = parser.parse_args()
    for name, value in (("words", given.words), ("longest", given.longest)):
        if value is not None and value < 1:
            raise common.Refused(f"--{name} is {value}; must be 1 or more")
    return given


def make(given, targets, readers, classes, *, labels, options=()):
    """Makes the sets, the vocabulary of the training set, and the list of classes. `readers` begin to read
    pairs (text, label), `labels` are the type and shape of a label. All is read before the first set is made."""
    title = targets["train"]
    known = words.Vocabulary((text for text, _ in readers["train"]()), given.words)
    with common.scratch(targets["train"], given.scratch) as scratch:
        files = {split: [scratch / f"{split}-{name}.npy" for name in ("x", "offsets", "y")] for split in readers}
        for split, read in readers.items():
            _write(targets[split], read(), known, given.longest, files[split], labels)
        for split, target in targets.items():
            common.import_set(target, "ragged", *files[split], options=options)
    known.write(pathlib.Path(f"{title}.words.txt"))
    print(f"{title.name}.words.txt: the commonest {len(known.words)} of {len(known.counts)} words, after <pad> and "
          "<unknown>", flush=True)
    common.write_names(f"{title}.classes.txt", classes)


def _write(target, pairs, known, longest, files, labels):
    wordless = unknown = cut = 0
    with common.Npy(files[0], "<i4") as x, common.Npy(files[1], "<i8") as offsets, common.Npy(files[2], *labels) as y:
        offsets.write([0])
        for text, label in pairs:
            found = words.words(text)
            ids = known.ids(found[:longest])
            wordless += not found
            cut += len(ids) < len(found)
            unknown += ids.count(words.UNKNOWN)
            x.write(ids)
            offsets.write([x.rows])
            y.write([label])
    print(f"{target}: {y.rows} texts of {x.rows} ids, of which {unknown} are of unknown words; {wordless} texts "
          f"without a word are one unknown word each; {cut} texts were cut", flush=True)
