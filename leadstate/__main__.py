"""`python -m leadstate`."""

from leadstate.cli.main import run

if __name__ == "__main__":
    run()
