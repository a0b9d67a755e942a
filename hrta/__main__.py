from hrta.cli import main

main()
