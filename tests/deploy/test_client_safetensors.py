"""fmixd.tensors reads what safetensors files hold."""

import json
import struct
import unittest

import numpy as np

from python_client import write_safetensors  # it knows where the following are
import fmixd


def file_of(**entries):
    """A file of entries (type, shape, bytes)."""
    header, data = {"__metadata__": {"seed": "7"}}, b""
    for name, (dtype, shape, body) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class Tensors(unittest.TestCase):
    def test_arrays_of_every_type_come_by_name(self):
        arrays = {f"of {dtype}": np.arange(6).reshape(2, 3).astype(dtype)
                  for dtype in ("<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "i1", "u1", "?")}
        read = fmixd.tensors(write_safetensors(arrays))
        self.assertEqual(set(read), set(arrays))
        for name, array in arrays.items():
            self.assertEqual(read[name].dtype, array.dtype)
            np.testing.assert_array_equal(read[name], array)
            self.assertFalse(read[name].flags.writeable)

    def test_a_bfloat16_is_the_upper_half_of_a_float32(self):
        read = fmixd.tensors(file_of(a=("U8", [1], b"\7"), x=("BF16", [2, 1], b"\x80\x3f\x40\xc0"),
                                     none=("F32", [0], b"")))
        self.assertEqual(read["x"].tolist(), [[1.0], [-3.0]])
        self.assertEqual((read["x"].dtype, read["a"].tolist(), read["none"].shape), ("f4", [7], (0,)))

    def test_what_is_no_such_file_is_shown(self):
        for body in b"", b"<html>", struct.pack("<Q", 9) + b"not JSON!":
            with self.assertRaisesRegex(fmixd.Refused, "not fmixd's answer, which begins with"):
                fmixd.tensors(body)


if __name__ == "__main__":
    unittest.main()
