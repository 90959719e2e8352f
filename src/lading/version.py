"""The version of this package, for manifests and for packaging."""

__version__ = "0.1.0"
