"""Schema-driven export and import for SQLAlchemy applications."""
from lading.declare.catalog import Catalog, default_catalog
from lading.declare.fields import Owned, Ref
from lading.declare.schema import EntitySchema
from lading.derive.order import import_order
from lading.exporter import export_all, export_document
from lading.importer import import_all, import_document
