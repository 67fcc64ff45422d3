"""``python -m qa`` is ``article-qa``."""

import sys

from qa.cli import main

sys.exit(main())
