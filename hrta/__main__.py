"""`python -m hrta` is `hrta`."""

from hrta.cli.main import main

main()
