"""Libraries of arrays that are not here, as far as the client may know them: each has the names that its
namesake documents and that the client may use, refuses what the namesake refuses, and has nothing else. They show
which names are asked for, not that a namesake works."""

import contextlib
import importlib
import sys
import types
import warnings

import numpy as np


class Foreign:
    """An array that nobody writes to. Types are not promoted, and NumPy's arrays are not taken by chance."""

    __array_ufunc__ = None

    def __init__(self, array):
        self.array = np.array(array)
        self.array.flags.writeable = False

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return self.array.dtype

    def _with(self, other, operation):
        if isinstance(other, Foreign):
            if type(other) is not type(self) or other.array.dtype != self.array.dtype:
                raise TypeError(f"{type(other).__name__} of {other.array.dtype} with {self.array.dtype}")
            other = other.array
        elif type(other) not in (int, float):
            raise TypeError(f"{type(other)} with an array")
        with np.errstate(invalid="ignore"):  # a row that stays what it is may hold anything
            return type(self)(operation(self.array, np.asarray(other, self.array.dtype)))

    def __mul__(self, other):
        return self._with(other, np.multiply)

    def __add__(self, other):
        return self._with(other, np.add)

    __rmul__, __radd__ = __mul__, __add__

    def __len__(self):
        raise TypeError("the standard does not say that arrays have a len")

    def __bool__(self):
        raise TypeError("no truth")


class Standard(Foreign):
    """Of the Python array API standard, as array_api_strict has it: NumPy gets it by DLPack alone."""

    device = "standard:0"

    def __array_namespace__(self, **_):
        return STANDARD

    def __dlpack__(self, **_):
        return self.array.copy().__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def _taken(x, indices, *, axis):
    return type(x)(np.take(x.array, indices.array, axis=axis))


def _where(kind):
    def where(condition, x, y):
        if condition.array.dtype != bool or x.array.dtype != y.array.dtype:
            raise TypeError(f"where of {condition.array.dtype}, {x.array.dtype} and {y.array.dtype}")
        return kind(np.where(condition.array, x.array, y.array))
    return where


def _standard_asarray(array, *, device=None):
    if device not in (None, "standard:0"):
        raise ValueError(f"no device {device!r}")
    return Standard(array)


STANDARD = types.SimpleNamespace(
    asarray=_standard_asarray, take=_taken, where=_where(Standard),
    astype=lambda x, dtype: Standard(x.array.astype(dtype)),
    reshape=lambda x, shape: Standard(x.array.reshape(shape)), float32=np.dtype("f4"), float64=np.dtype("f8"))


class JaxArray(Foreign):
    """Of JAX, in a version that does not name its array namespace, and whose namespace has no astype."""

    device = "a sharding, which asarray does not take for an array of another rank"

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)

    def astype(self, dtype):
        return JaxArray(self.array.astype(dtype))

    def reshape(self, *shape):
        return JaxArray(self.array.reshape(*shape))


JAX = types.SimpleNamespace(Array=JaxArray, numpy=types.SimpleNamespace(
    asarray=JaxArray, take=_taken, where=_where(JaxArray), float32=np.dtype("f4"), float64=np.dtype("f8")))


class TensorFlowType:
    """A type, which is not NumPy's."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<dtype: {self.name!r}>"

    def __eq__(self, other):
        return isinstance(other, TensorFlowType) and self.name == other.name


class Tensor(Foreign):
    """An eager tensor of TensorFlow."""

    device = "/job:localhost/replica:0/task:0/device:CPU:0"

    @property
    def dtype(self):
        return TensorFlowType(self.array.dtype.name)

    def numpy(self):
        return self.array.copy()


class SymbolicTensor(Tensor):
    """A tensor of a graph."""

    @property
    def numpy(self):
        raise AttributeError("numpy")


@contextlib.contextmanager
def _device(name):
    if name != Tensor.device:
        raise ValueError(f"no device {name!r}")
    yield


TENSORFLOW = types.SimpleNamespace(
    Tensor=Tensor, convert_to_tensor=Tensor, device=_device, where=_where(Tensor),
    gather=lambda params, indices: Tensor(params.array[indices.array]),
    cast=lambda x, dtype: Tensor(x.array.astype(dtype.name)),
    reshape=lambda x, shape: Tensor(x.array.reshape(shape)),
    float32=TensorFlowType("float32"), float64=TensorFlowType("float64"))


@contextlib.contextmanager
def installed():
    """The stand-ins that are known by a module, as if those were imported."""
    with contextlib.suppress(ImportError):
        importlib.import_module("torch")  # which looks for others, too, when it is imported
    modules = {"jax": JAX, "tensorflow": TENSORFLOW}
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def libraries():
    """By name: how an array comes into a library, and back. While the stand-ins are `installed`."""
    found = {"numpy": (np.copy, np.asarray), "the standard": (Standard, lambda x: x.array),
             "like JAX": (JaxArray, lambda x: x.array), "like TensorFlow": (Tensor, lambda x: x.array)}
    with warnings.catch_warnings(), contextlib.suppress(ImportError):
        warnings.simplefilter("ignore")  # of its being experimental
        from numpy import array_api  # pylint: disable=import-outside-toplevel
        found["numpy.array_api"] = array_api.asarray, np.asarray
    with contextlib.suppress(ImportError):
        import torch  # pylint: disable=import-outside-toplevel
        found["torch"] = torch.tensor, lambda x: x.numpy()
        found["torch with gradients"] = lambda x: torch.tensor(x, requires_grad=True), lambda x: x.detach().numpy()
    return found
