"""Small twins of published data sets of pictures, in exactly the layouts of the published files. Each
says from which description. What is returned is what the sets must hold."""

import gzip
import io
import tarfile
import zipfile

import numpy as np
import scipy.io
from PIL import Image


def pixels(source, *shape):
    """Noise, and a gradient on which a turned picture shows."""
    ramp = np.arange(np.prod(shape)).reshape(shape) // 7 % 200
    return (ramp + source.integers(0, 56, shape)).astype("u1")


def encoded(picture, kind="JPEG", mode=None):
    """A file's bytes."""
    out = io.BytesIO()
    image = Image.fromarray(picture)
    (image.convert(mode) if mode else image).save(out, kind)
    return out.getvalue()


def decoded(file, size=None):
    """What Pillow sees in a file, as RGB, resized if asked for."""
    image = Image.open(io.BytesIO(file)).convert("RGB")
    return np.asarray(image.resize(size, Image.BILINEAR) if size else image)


def tar_of(files, out, mode="w"):
    """Writes a tar file of names and bytes."""
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def cifar(path, folder, parts, heads):
    """The binary version as https://www.cs.toronto.edu/~kriz/cifar.html describes it: a record is a
    byte for each label, then the red, the green and the blue plane. Pixels and labels by file."""
    source = np.random.default_rng(3)
    made = {}
    for name, rows in parts.items():
        labels = np.stack([source.permutation(rows) % classes for classes in heads], 1).astype("u1")
        labels[0] = np.array(heads) - 1
        made[name] = pixels(source, rows, 3, 32, 32), labels
    files = [(f"{folder}/{name}", np.concatenate([y, x.reshape(len(x), -1)], 1).tobytes())
             for name, (x, y) in made.items()]
    with open(path, "wb") as out:
        tar_of([*files, (f"{folder}/readme.html", b"<html>")], out, "w:gz")
    return made


def idx(path, array):
    """The format of MNIST as its page describes it: two zeros, the type, the number of dimensions, the
    dimensions as big-endian numbers, and the bytes."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    with gzip.open(path, "wb", 1) as out:
        out.write(head + array.tobytes())


def tiny_imagenet(path):
    """tiny-imagenet-200.zip as the loaders of ecs-vlc/FMix (datasets/tiny_imagenet.py) and others
    read it. Files and class numbers of both parts."""
    source = np.random.default_rng(4)
    wnids = ["n02124075", "n04067472", "n01443537", "n03444034"]
    train, val, lines = {}, {}, []
    files = {"wnids.txt": "".join(f"{wnid}\n" for wnid in wnids), "words.txt": "n02124075\tEgyptian cat\n"}
    for wnid in wnids:
        for i in source.permutation(12):
            grey = (wnid, i) == (wnids[1], 3)
            train[wnid, i] = encoded(pixels(source, 64, 64, 3), mode="L" if grey else None)
            files[f"train/{wnid}/images/{wnid}_{i}.JPEG"] = train[wnid, i]
        files[f"train/{wnid}/{wnid}_boxes.txt"] = f"{wnid}_0.JPEG\t0\t10\t63\t58\n"
    for i in range(11):
        wnid = wnids[i * 3 % 4]
        val[i] = encoded(pixels(source, 64, 64, 3)), i * 3 % 4
        files[f"val/images/val_{i}.JPEG"] = val[i][0]
        lines.append(f"val_{i}.JPEG\t{wnid}\t0\t32\t44\t62\n")
    files["val/val_annotations.txt"] = "".join(lines)
    files["test/images/test_0.JPEG"] = encoded(pixels(source, 64, 64, 3))
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("tiny-imagenet-200/", "")
        for name, data in files.items():
            out.writestr(f"tiny-imagenet-200/{name}", data)
    return ([(train[wnid, i], number) for number, wnid in enumerate(wnids) for i in range(12)],
            [val[i] for i in range(11)])


def devkit(path, wnids, truth):
    """ILSVRC2012_devkit_t12.tar.gz as its readme and torchvision (datasets/imagenet.py) describe it:
    meta.mat has a struct for each synset, by ILSVRC2012_ID, those with children behind the others."""
    fields = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height",
              "num_train_images")
    table = np.zeros((len(wnids) + 1, 1), [(field, object) for field in fields])
    for i, wnid in enumerate(wnids):
        table[i, 0] = (i + 1, wnid, f"thing {i}, object {i}", "a thing", 0, np.zeros(0), 0, 1300)
    table[-1, 0] = (len(wnids) + 1, "n00001740", "entity", "all", 2, np.array([1., 2.]), 3, 0)
    meta = io.BytesIO()
    scipy.io.savemat(meta, {"synsets": table})
    with open(path, "wb") as out:
        tar_of([("ILSVRC2012_devkit_t12/readme.txt", b"readme"),
                ("ILSVRC2012_devkit_t12/data/meta.mat", meta.getvalue()),
                ("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
                 "".join(f"{number}\n" for number in truth).encode())], out, "w:gz")


def imagenet(folder):
    """The tar files as torchvision (datasets/imagenet.py) reads them: for training a tar file of a tar
    file for each synset, for validation all pictures at the top. Files and class numbers of both."""
    source = np.random.default_rng(5)
    wnids = ["n02119789", "n01440764", "n15075141", "n03041632"]  # ILSVRC2012_ID 1, 2, …
    order = sorted(wnids)
    inner, train = {}, []
    for number, wnid in enumerate(order):
        files = {f"{wnid}_{i}.JPEG": encoded(pixels(source, 40 + i, 60 - number, 3)) for i in (10, 2, 33, 107)}
        if number == 1:
            files[f"{wnid}_2.JPEG"] = encoded(pixels(source, 50, 40, 3), "PNG")
            files[f"{wnid}_10.JPEG"] = encoded(pixels(source, 50, 40, 3), mode="CMYK")
            files[f"{wnid}_33.JPEG"] = encoded(pixels(source, 50, 40), mode="L")
        inner[wnid] = io.BytesIO()
        tar_of(files.items(), inner[wnid])
        train += [(files[name], number) for name in sorted(files)]
    with open(folder / "ILSVRC2012_img_train.tar", "wb") as out:
        tar_of([(f"{wnid}.tar", inner[wnid].getvalue()) for wnid in wnids], out)
    truth = [3, 1, 4, 2, 2, 1, 3]
    val = [(encoded(pixels(source, 45 + i, 70, 3)), order.index(wnids[number - 1]))
           for i, number in enumerate(truth)]
    with open(folder / "ILSVRC2012_img_val.tar", "wb") as out:
        tar_of([(f"ILSVRC2012_val_{i + 1:08}.JPEG", val[i][0]) for i in source.permutation(len(val))], out)
    devkit(folder / "ILSVRC2012_devkit_t12.tar.gz", wnids, truth)
    return order, train, val


def graphemes(rows):
    """Pictures of 137x236, dark strokes on white, and three class numbers of each."""
    source = np.random.default_rng(6)
    pictures = source.integers(250, 256, (rows, 137, 236)).astype("u1")  # paper: less than the threshold
    for picture in pictures[1:]:  # the first has no ink
        top, left = source.integers(10, 60), source.integers(10, 120)
        height, width = source.integers(20, 77), source.integers(30, 116)
        picture[top:top + height, left:left + width] = pixels(source, height, width)
        picture[top - 7, left + 3] = picture[top + 5, left - 9] = 249  # the faintest ink, beside the stroke
    pictures[2, 0] = pictures[2, :, -1] = 0
    labels = np.stack([source.integers(0, classes, rows) for classes in (168, 11, 7)], 1)
    labels[0] = 167, 10, 6
    return pictures, labels


def bengali_labels(path, labels):
    """train.csv, as the data page of the competition describes it."""
    rows = [f"Train_{i},{','.join(map(str, row))},ক\n" for i, row in enumerate(labels)]
    path.write_text("image_id,grapheme_root,vowel_diacritic,consonant_diacritic,grapheme\n" + "".join(rows),
                    encoding="utf-8")


def as_the_authors(picture):
    """What ecs-vlc/FMix makes of a picture (datasets/bengali.py, bengali_transforms of
    datasets/datasets.py) before it subtracts the mean: floats from 0 to 1."""
    image = (255 - picture).astype(np.float32) / 255.
    black = image > 5. / 255.
    across, down = black.sum(0) > 0, black.sum(1) > 0
    height, width = image.shape
    part = image[np.argmax(down):height - np.argmax(down[::-1]), np.argmax(across):width - np.argmax(across[::-1])]
    return np.asarray(Image.fromarray(part).resize((64, 64), Image.BILINEAR))
