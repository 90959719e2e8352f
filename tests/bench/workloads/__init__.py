"""What is exported and restored, by name."""

from bench.workloads import bakery, keys, links, owned, tree, wide
from bench.workloads.base import Workload

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        wide.WORKLOAD,
        keys.WORKLOAD,
        owned.WORKLOAD,
        tree.WORKLOAD,
        links.WORKLOAD,
        bakery.WORKLOAD,
    )
}

__all__ = ["WORKLOADS", "Workload"]
