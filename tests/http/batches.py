"""Tensors compared bit for bit, and batches of hosted sets as answers, as tensors and as refusals."""

from urllib.parse import urlencode

import harness
import tensors


def query_of(**options):
    """A query, of what is not None."""
    return "&".join(f"{name}={value}" for name, value in options.items() if value is not None)


def share_of(parts, rank, world):
    """The rows of one rank."""
    count = len(parts["rows"])
    return {name: array[rank * count // world:(rank + 1) * count // world] for name, array in parts.items()}


class TensorsTest(harness.ServerTest):
    """A daemon whose answers are compared bit for bit."""

    def same(self, got, expected, about=None):
        """One tensor."""
        self.assertEqual((got.dtype, got.shape), (expected.dtype, expected.shape), about)
        self.assertEqual(got.tobytes(), expected.tobytes(), about)

    def assert_same(self, got, expected, what):
        """Tensors by name."""
        self.assertEqual(got.keys(), expected.keys(), what)
        for part, array in expected.items():
            self.same(got[part], array, f"{part} of {what}")


class BatchesTest(TensorsTest):
    """A daemon that serves sets of our own."""

    def batch(self, name, step, status=200, suffix=".safetensors", **options):
        """One batch's answer."""
        return self.get(f"/v1/datasets/{name}/batches/{step}{suffix}?{urlencode(options)}", status)

    def parts(self, name, step, **options):
        """Its tensors."""
        return tensors.read_safetensors(self.batch(name, step, **options).body)

    def refused(self, name, status, **options):
        """Of which parameter a refusal is, and what it says."""
        told = self.batch(name, 0, status, **options).json()["errors"][0]
        return told.get("parameter", ""), told["detail"]
