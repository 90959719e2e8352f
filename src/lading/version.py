"""The version of this package, for manifests and for packaging."""

VERSION = "0.1.0"
