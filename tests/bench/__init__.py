"""How long lading takes, beside what else does the job: ``python -m bench --help``."""
