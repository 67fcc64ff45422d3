"""Run the speed benchmark: ``python -m benchmarks.speed``."""

import argparse
import sys

from benchmarks.speed.command import add_arguments, run
from index.errors import ArticleQAError


def main() -> int:
    """Measure, and print ratios to the plain recipe."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    add_arguments(parser)
    try:
        return run(parser.parse_args())
    except ArticleQAError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    sys.exit(main())
