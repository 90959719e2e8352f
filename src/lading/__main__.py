"""What ``python -m lading`` runs: the same as the ``lading`` command."""

from lading.cli.main import main

if __name__ == "__main__":
    main(prog_name="python -m lading")
