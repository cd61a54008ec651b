"""Makes pictures of every kind: PNG by the rules of its specification, JPEG by Pillow, by
libjpeg-turbo's programs, and by moving its segments about."""

import io
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image

from small_pictures import chunk

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
         (1, 0, 2, 1))  # first row and column, steps of rows and columns
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def packed(row, depth):
    """Samples of one line, one after the other, high bits first."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = np.unpackbits(row.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - depth:]
    return np.packbits(bits.reshape(-1)).tobytes()


def paeth(left, up, corner):
    """The predictor of filter 4: the nearest, and of two as near the first."""
    guess = left + up - corner
    far_left, far_up, far_corner = (abs(guess - value) for value in (left, up, corner))
    return np.where((far_left <= far_up) & (far_left <= far_corner), left,
                    np.where(far_up <= far_corner, up, corner))


def filtered(lines, step):
    """Each line by another filter; step: bytes of a pixel, at least 1."""
    values = np.frombuffer(b"".join(lines), np.uint8).reshape(len(lines), -1).astype(int)
    left, up, corner = np.zeros((3, *values.shape), int)
    left[:, step:], up[1:], corner[1:, step:] = values[:, :-step], values[:-1], values[:-1, :-step]
    kinds = np.arange(len(lines))[:, None] % 5
    predicted = np.choose(kinds, (np.zeros_like(values), left, up, (left + up) // 2, paeth(left, up, corner)))
    return np.hstack([kinds, values - predicted & 255]).astype(np.uint8).tobytes()


def png(samples, depth, colour, *, interlaced=False, before=(), pieces=1, after=b""):
    """samples: [height, width, channels]; before: chunks between IHDR and IDAT."""
    height, width = samples.shape[:2]
    step = max(1, CHANNELS[colour] * depth // 8)
    data = b""
    for row, column, down, across in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = samples[row::down, column::across]
        if part.size:
            data += filtered([packed(line.reshape(-1), depth) for line in part], step)
    squeezed = zlib.compress(data)
    cuts = [len(squeezed) * i // pieces for i in range(pieces + 1)]
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
            + b"".join(chunk(kind, data) for kind, data in before)
            + b"".join(chunk(b"IDAT", squeezed[a:b]) for a, b in zip(cuts, cuts[1:]))
            + chunk(b"IEND", b"") + after)


def noise(source, height, width, depth, colour):
    """Samples of a PNG of this kind."""
    return source.integers(0, 2 ** depth, (height, width, CHANNELS[colour]))


def photo(height, width, channels=3):
    """Something smooth with edges, so that JPEG has all of its coefficients to do."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 90 * np.sin((x + 3 * c) / (3 + c)) * np.cos(y / 4) + 40 * (x * y % (7 + c) < 2)
              for c in range(channels)]
    pixels = np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def jpeg(pixels, mode=None, **options):
    """By Pillow."""
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "JPEG", **options)
    return out.getvalue()


def cjpeg(pixels, *options):
    """By libjpeg-turbo's own encoder."""
    kind = b"P5" if pixels.ndim == 2 else b"P6"
    head = b"%s %d %d 255\n" % (kind, pixels.shape[1], pixels.shape[0])
    return subprocess.run(["cjpeg", *options], input=head + pixels.tobytes(), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def jpegtran(data, *options):
    """The same coefficients, stored otherwise."""
    return subprocess.run(["jpegtran", *options], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def segments(data):
    """(marker, whole segment) up to the first scan, and then (0, the rest)."""
    at, found = 2, []
    while data[at + 1] != 0xda:
        length = 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        found.append((data[at + 1], data[at:at + length]))
        at += length
    return [*found, (0, data[at:])]


def assembled(parts):
    """A file of segments."""
    return b"\xff\xd8" + b"".join(part for _, part in parts)


def without(data, marker):
    """A file without its segments of a kind."""
    return assembled([part for part in segments(data) if part[0] != marker])


def before(data, marker, junk):
    """Junk in front of the first segment of a kind."""
    parts = segments(data)
    at = next(i for i, part in enumerate(parts) if part[0] == marker)
    return assembled([*parts[:at], (-1, junk), *parts[at:]])


def as_ycck(data):
    """Adobe's marker then says that inks are stored as YCCK."""
    return assembled([(m, part[:-1] + b"\2" if m == 0xee else part) for m, part in segments(data)])


def pngs():
    """(name, file) of each."""
    source = np.random.default_rng(3)
    for colour, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            palette = [(b"PLTE", source.bytes(3 * 2 ** depth))] if colour == 3 else []
            for interlaced in (False, True):
                name = f"png {depth} bits, colour type {colour}{', interlaced' if interlaced else ''}"
                yield name, png(noise(source, 13, 11, depth, colour), depth, colour,
                                interlaced=interlaced, before=palette)
    grey, rgb = noise(source, 6, 7, 8, 0), noise(source, 6, 7, 8, 2)
    wide = noise(source, 6, 7, 16, 2)
    ramp = (np.array([1, 16, 64, 128, 200]) * 257).reshape(1, 5, 1)
    profile = b"p\0\0" + zlib.compress(bytes(128))
    chromaticities = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    palette = (b"PLTE", source.bytes(48))
    for name, samples, depth, colour, chunks in (
            ("gAMA 1.0", grey, 8, 0, [(b"gAMA", struct.pack(">I", 100000))]),
            ("gAMA 1/2.2, rgb", rgb, 8, 2, [(b"gAMA", struct.pack(">I", 45455))]),
            ("gAMA of 16 bits", wide, 16, 2, [(b"gAMA", struct.pack(">I", 100000))]),
            ("a ramp of 16 bits", ramp, 16, 0, []),
            ("sRGB", rgb, 8, 2, [(b"sRGB", b"\0")]),
            ("iCCP", rgb, 8, 2, [(b"iCCP", profile)]),
            ("cHRM and gAMA", rgb, 8, 2, [(b"cHRM", chromaticities), (b"gAMA", struct.pack(">I", 30000))]),
            ("tRNS of grey", grey, 8, 0, [(b"tRNS", struct.pack(">H", grey[0, 0, 0]))]),
            ("tRNS of rgb", rgb, 8, 2, [(b"tRNS", struct.pack(">3H", *rgb[0, 0]))]),
            ("tRNS of 4 bits of grey", grey % 16, 4, 0, [(b"tRNS", struct.pack(">H", 3))]),
            ("tRNS of a palette", grey % 16, 4, 3, [palette, (b"tRNS", bytes(range(0, 160, 10)))]),
            ("a short palette", grey % 5, 8, 3, [(b"PLTE", source.bytes(15))]),
            ("sBIT, bKGD, pHYs", rgb, 8, 2, [(b"sBIT", b"\5\6\5"), (b"bKGD", bytes(6)),
                                             (b"pHYs", struct.pack(">IIB", 1, 2, 0))]),
            ("PLTE beside rgb", rgb, 8, 2, [palette]),
            ("tEXt and eXIf", rgb, 8, 2, [(b"tEXt", b"a\0b"), (b"eXIf", b"MM\0*\0\0\0\x08\0\0")])):
        yield f"png with {name}", png(samples, depth, colour, before=chunks)
    yield "png of alpha 128", png(np.full((2, 2, 2), (200, 128)), 8, 4)
    for height, width in ((1, 1), (1, 300), (300, 1), (3, 5)):
        yield f"png {height}x{width}", png(noise(source, height, width, 8, 2), 8, 2,
                                           interlaced=height == 3)
    yield "png in seven pieces", png(noise(source, 9, 9, 8, 6), 8, 6, pieces=7)
    yield "png with bytes behind it", png(grey, 8, 0, after=b"junk")


def jpegs():
    """(name, file) of each that is read without a warning."""
    colour, grey, inks = photo(37, 53), photo(37, 53, 1), photo(37, 53, 4)
    for name, sampling in (("4:4:4", "1x1"), ("4:2:2", "2x1"), ("4:2:0", "2x2"), ("4:4:0", "1x2"),
                           ("4:1:1", "4x1"), ("4:1:0", "4x2"), ("of odd factors", "2x2,1x2,2x1")):
        yield f"jpeg {name}", cjpeg(colour, "-sample", sampling, "-quality", "80")
        yield f"jpeg {name}, progressive", cjpeg(colour, "-sample", sampling, "-progressive")
    yield "jpeg grey", cjpeg(grey, "-quality", "90")
    yield "jpeg grey, progressive", cjpeg(grey, "-progressive")
    yield "jpeg grey, factors 2x2", cjpeg(grey, "-sample", "2x2")
    yield "jpeg with restart markers", cjpeg(colour, "-restart", "1B")
    yield "jpeg with restarts a row", jpegtran(cjpeg(colour, "-sample", "2x2"), "-restart", "1")
    yield "jpeg by arithmetic", cjpeg(colour, "-arithmetic")
    yield "jpeg by arithmetic, progressive", cjpeg(colour, "-arithmetic", "-progressive")
    yield "jpeg of quality 1", cjpeg(colour, "-quality", "1")
    yield "jpeg of quality 100", cjpeg(colour, "-quality", "100")
    yield "jpeg optimised", cjpeg(colour, "-optimize")
    yield "jpeg stored as rgb", cjpeg(colour, "-rgb")
    yield "jpeg of rgb without a marker", without(cjpeg(colour, "-rgb"), 0xee)
    for height, width in ((1, 1), (1, 9), (17, 1), (8, 8), (16, 16), (33, 15)):
        yield f"jpeg {height}x{width}", cjpeg(photo(height, width), "-sample", "2x2")
    cmyk = jpeg(inks, "CMYK", quality=85)
    yield "jpeg of CMYK, Adobe's marker", cmyk
    yield "jpeg of CMYK, no marker", without(cmyk, 0xee)
    yield "jpeg of YCCK, Adobe's marker", as_ycck(cmyk)
    yield "jpeg of CMYK, progressive", jpeg(inks, "CMYK", progressive=True)
    plain = cjpeg(colour)
    yield "jpeg without JFIF", without(plain, 0xe0)
    yield "jpeg with a profile", jpeg(colour, icc_profile=bytes(3000))
    turned = Image.Exif()
    turned[0x0112] = 6
    yield "jpeg turned by Exif", jpeg(colour, exif=turned)
    yield "jpeg with a comment", before(plain, 0xdb, b"\xff\xfe\0\6abcd")
    yield "jpeg with fill bytes", before(plain, 0xdb, b"\xff\xff\xff")
    yield "jpeg with bytes behind it", plain + b"junk"


def odd_jpegs():
    """(name, file) of each that is read, but with a warning."""
    plain = cjpeg(photo(37, 53))
    yield "eight bytes before EOI", plain[:-2] + bytes(8) + plain[-2:]
    yield "two bytes before a DQT", before(plain, 0xdb, b"\1\2")
    yield "JFIF 2.01", plain[:11] + b"\2" + plain[12:]
    yield "a hole in its data", plain[:-200] + b"\xff\xd9"
    yield "a restart marker too many", plain[:-300] + b"\xff\xd3" + plain[-300:]
    transform = jpeg(photo(20, 20, 4), "CMYK")
    yield "an unknown transform of Adobe's", assembled(
        [(m, part[:-1] + b"\7" if m == 0xee else part) for m, part in segments(transform)])
