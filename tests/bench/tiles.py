"""Photographs for measurements: tiles of 500x375 that are cut from Debian's wallpapers."""

import io
import subprocess

from PIL import Image

WALLPAPERS = "lomiri-wallpapers-20.04"
TILE = 500, 375


def tiles():
    """Whole tiles of each wallpaper, as JPEG of quality 90."""
    listed = subprocess.run(["dpkg-query", "-L", WALLPAPERS], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.split("\n")
    for path in sorted(name for name in listed if name.endswith(".jpg")):
        picture = Image.open(path).convert("RGB")
        for top in range(0, picture.height - TILE[1] + 1, TILE[1]):
            for left in range(0, picture.width - TILE[0] + 1, TILE[0]):
                file = io.BytesIO()
                tile = picture.crop((left, top, left + TILE[0], top + TILE[1]))
                tile.save(file, "JPEG", quality=90)
                yield file.getvalue()


def write(folder, copies=1, classes=10):
    """Writes them into a folder of so many classes, each so many times."""
    for name in range(classes):
        (folder / str(name)).mkdir(parents=True)
    for number, file in enumerate(tiles()):
        for copy in range(copies):
            (folder / str(number % classes) / f"{copy}-{number:04}.jpg").write_bytes(file)
