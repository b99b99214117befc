"""``python -m gateway`` is ``riskgate``."""

from gateway.cli import main

main()
