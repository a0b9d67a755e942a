"""`python -m hrta` is `hrta`."""

from hrta.cli import main

main()
