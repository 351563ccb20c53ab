"""superion: high-throughput workflows that find superionic conductors.

The package loads nothing heavy at import: torch, pymongo and the rest come in with the
module that needs them.

Examples
--------
>>> import superion
>>> superion.__version__.count(".")
2
"""

from __future__ import annotations

from .moved_modules import serve_old_names

__version__ = "0.1.0"

serve_old_names()
