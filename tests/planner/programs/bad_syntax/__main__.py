"""Is no Python. Formatters are told to leave it alone."""

import = 1
