"""Run the speed benchmark: ``python -m benchmarks.speed``."""

import argparse
import sys

from benchmarks.speed.command import add_arguments, run
from index.errors import ArticleQAError

parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
add_arguments(parser)
try:
    sys.exit(run(parser.parse_args()))
except ArticleQAError as error:
    sys.exit(f"error: {error}")
