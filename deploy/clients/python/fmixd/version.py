"""The version of the package, which is that of fmixd."""

__version__ = "1.0.0"
