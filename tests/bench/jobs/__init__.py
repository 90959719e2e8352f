"""What lading does beside exports and imports, each with the same done by hand."""

from bench.jobs.base import Job
from bench.jobs.bundles import bundle_jobs
from bench.jobs.refusals import refusal_jobs
from bench.jobs.updates import update_jobs

#: By workload, what yields jobs on its two databases; each is measured before the next is asked for.
JOBS = {"wide": (bundle_jobs, update_jobs), "tree": (refusal_jobs,)}

__all__ = ["JOBS", "Job"]
