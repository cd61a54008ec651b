"""The version of the package, which is that of fmixd."""

__version__ = "0.1.0"
