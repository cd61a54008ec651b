"""Rows of the bench about image sets, on tiles of 500x375 that are cut from Debian's wallpapers."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import cv2
import harness
import numpy as np
import torch
import torchvision.transforms as vision
from measuring import BUILD, Daemon, Meter, Row, note, time_a_request, warm
from PIL import Image
from tiles import tiles

SHORT = 341, 256  # such a tile, its shorter side shrunk to 256
SIDE = 224
ROUNDS = 11
IMPORT_ROUNDS, IMPORT_TRIES = 3, 4
MEMORY = "/dev/shm"  # where no disk is waited for
IMPORT_COPIES = 10  # of each file, so that an import takes seconds
BATCH = (f"/v1/datasets/set/batches/0.raw?n=256&seed=7&shuffle=1&size={SIDE}&view=random"
         "&flip=1&method=fmix&parts=mixed&epoch=%")


class Photographs:
    """Their files in a directory of one class, as long as this is kept."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name)
        (self.root / "all").mkdir()
        for number, file in enumerate(tiles()):
            (self.root / "all" / f"{number:04}.jpg").write_bytes(file)
        self.paths = sorted((self.root / "all").iterdir())
        size = sum(path.stat().st_size for path in self.paths)
        note(f"photographs: {len(self.paths)} tiles, {size / len(self.paths) / 1e3:.1f} KB each")


@functools.cache
def photographs():
    """The same for all rows."""
    return Photographs()


def area_of(pixels, windows):
    """Nanoseconds that OpenCV takes for a view by INTER_AREA."""
    start = time.thread_time_ns()
    for picture, (top, left, height, width) in zip(pixels, windows):
        cv2.resize(picture[top:top + height, left:left + width], (SIDE, SIDE),
                   interpolation=cv2.INTER_AREA)
    return (time.thread_time_ns() - start) / len(pixels)


class Views(Meter):
    """The program of pictures, which tells its windows and then measures when it is asked."""

    def __init__(self, path, count):
        self.process = subprocess.Popen(
            [BUILD / "pictures", "views", path, str(count), str(SHORT[1]), str(SHORT[0])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.windows = [tuple(map(int, self.process.stdout.readline().split()))
                        for _ in range(count)]


def views():
    """Random views of small pictures, against OpenCV on one thread."""
    cv2.setNumThreads(1)
    pixels = np.stack([np.asarray(Image.open(path).resize(SHORT, Image.Resampling.BICUBIC))
                       for path in photographs().paths])
    result = []
    with tempfile.NamedTemporaryFile() as file:
        pixels.tofile(file.name)
        with Views(file.name, len(pixels)) as meter:
            area_of(pixels, meter.windows)
            for _ in range(ROUNDS):
                ours, theirs = meter.nanoseconds(), area_of(pixels, meter.windows)
                result.append(ours / theirs)
                note(f"a view: {ours / 1e3:.1f} us, INTER_AREA {theirs / 1e3:.1f}")
    return result


def decode():
    """Decoding and a random view, against decoding the whole file."""
    done = subprocess.run([BUILD / "pictures", "decode", *photographs().paths], check=True,
                          text=True, stdout=subprocess.PIPE)
    lines = [[float(number) for number in line.split()[1:]] for line in done.stdout.splitlines()]
    for ours, theirs in lines:
        note(f"decode and view: {ours / 1e3:.1f} us, decode alone {theirs / 1e3:.1f}")
    return [ours / theirs for ours, theirs in lines]


def load_batch(paths):
    """Nanoseconds of all threads to load a batch as torchvision's users do, without mixing it."""
    torch.set_num_threads(1)
    steps = vision.Compose([vision.RandomResizedCrop(SIDE), vision.RandomHorizontalFlip(),
                            vision.ToTensor()])
    start = time.process_time_ns()
    rows = []
    for path in paths:
        with Image.open(path) as picture:
            rows.append(steps(picture.convert("RGB")))
    torch.stack(rows)
    return time.process_time_ns() - start


def import_photographs(to, root, *options, cores=None):
    """Seconds of the wall."""
    start = time.perf_counter()
    subprocess.run([harness.program(), "import", to, "--from", "folder", root, *options], check=True,
                   stderr=subprocess.DEVNULL,
                   preexec_fn=cores and (lambda: os.sched_setaffinity(0, cores)))
    return time.perf_counter() - start


def served(*options):
    """How many times less a batch costs than torchvision's, which is not mixed either."""
    paths, result = photographs().paths, []
    with tempfile.TemporaryDirectory() as root:
        import_photographs(f"{root}/set", photographs().root, *options)
        with Daemon("--data", root) as server:
            warm(server, BATCH)
            load_batch(paths[:256])
            for _ in range(ROUNDS):
                ours, _ = time_a_request(server, BATCH, seconds=0.5)
                theirs = load_batch(paths[:256])
                result.append(theirs / ours)
                note(f"a served batch ({' '.join(options)}): {ours / 1e6:.1f} ms, torchvision "
                     f"{theirs / 1e6:.1f}")
    return result


def import_on_two_cores():
    """How many times faster than on one, by the wall: the least of some tries, for others only delay."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise RuntimeError("this machine has one core")
    result = []
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        copies = pathlib.Path(root, "photographs", "all")
        copies.mkdir(parents=True)
        for path in photographs().paths:
            for copy in range(IMPORT_COPIES):
                (copies / f"{copy}-{path.name}").write_bytes(path.read_bytes())
        for _ in range(IMPORT_ROUNDS):
            least = [float("inf")] * 2
            for _ in range(IMPORT_TRIES):
                for number, some in enumerate((cores[:1], cores)):
                    took = import_photographs(f"{root}/set", copies.parent, "--store", "files", cores=some)
                    least[number] = min(least[number], took)
                    shutil.rmtree(f"{root}/set")
            result.append(least[0] / least[1])
            note(f"import: {least[0]:.2f} s, on two cores {least[1]:.2f}")
    return result


ROWS = [
    Row("random view 224x224 of 341x256 pixels", "OpenCV's INTER_AREA", views, 1, 0.5),
    Row("decode and random view of 500x375", "libjpeg-turbo, the whole file", decode, 1.15, 0.9),
    Row("batch of 256 views, mixed, from files, server CPU, faster than",
        "torchvision in process, not mixed", lambda: served("--store", "files"), 2.5, 4, False),
    Row("batch of 256 views, mixed, from pixels, server CPU, faster than",
        "torchvision in process, not mixed", lambda: served("--store", "pixels", "--short", "256"),
        6, 10, False),
    Row("import of 3,560 files on two cores, faster than", "on one", import_on_two_cores, 1.8, 2,
        False),
]
