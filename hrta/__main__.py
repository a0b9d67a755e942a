"""`python -m hrta` is `hrta`."""

from hrta.runtime.imports import uncollected

with uncollected():
    from hrta.cli.main import main

main()
