"""`python -m harken` is the `harken` command."""

import sys

from harken.cli.app import main

sys.exit(main())
