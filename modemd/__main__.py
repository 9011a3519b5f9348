from modemd.cli.main import main

main()
