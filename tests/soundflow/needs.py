"""What a test cannot do without and skips for."""

import pytest

from harken.soundflow.corpora import package_dir

needs_corpora = pytest.mark.skipif(
    not package_dir("wesnoth-1.16-data").is_dir(),
    reason="the corpora (0.9 GB) are not fetched: `harken data fetch`",
)
