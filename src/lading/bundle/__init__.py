"""The only place that touches files: bundles as folders and as ZIP archives."""

from lading.bundle.reader import Block, BundleReader, with_bundle
from lading.bundle.survey import BundleSurvey
from lading.bundle.writer import BundleWriter, EntityFile

__all__ = ["Block", "BundleReader", "BundleSurvey", "BundleWriter", "EntityFile", "with_bundle"]
