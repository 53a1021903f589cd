"""Entry point of `extauthz` and `python -m extauthz`."""

from extauthz.cli.application import application


def main() -> None:
    """Runs the command line."""
    application()


if __name__ == "__main__":
    main()
