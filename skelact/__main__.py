"""``python -m skelact``: the command line."""

from skelact.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
