"""What does the job beside lading, by name; the order is that of tables and plots."""

from bench.rivals.base import Lading, Rival
from bench.rivals.django_dumpdata import DjangoDumpdata
from bench.rivals.driver_alone import DriverAlone
from bench.rivals.marshmallow_objects import MarshmallowObjects
from bench.rivals.orm_json import OrmJson
from bench.rivals.written_by_hand import WrittenByHand

OURS = Lading
RIVALS: dict[str, type[Rival]] = {
    rival.name: rival
    for rival in (DriverAlone, WrittenByHand, OrmJson, MarshmallowObjects, DjangoDumpdata)
}

__all__ = ["OURS", "RIVALS", "Rival"]
