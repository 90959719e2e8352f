"""The reference catalog: a bakery that sells gift boxes, its models and its schemas.

``bakery`` is the catalog, ``Base`` the root of the models, and ``fill`` puts one
believable season into an empty database. Importing this package declares every entity, and
the changes that lead to it from the releases before.
"""

from . import changes, events, goods, kitchen, materials, models, pantry, production, stock
from .catalog import BakerySchema, bakery
from .models import *  # noqa: F403 - the models are part of this package's face
from .season import fill

__all__ = [
    "BakerySchema",
    "bakery",
    "changes",
    "events",
    "fill",
    "goods",
    "kitchen",
    "materials",
    "models",
    "pantry",
    "production",
    "stock",
]
__all__ += models.__all__
