"""`python -m leadstate`."""

from leadstate.cli.main import main

if __name__ == "__main__":
    main()
