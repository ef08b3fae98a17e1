"""What only an installation for tests has, hidden from the programs under test: they find what a user's has.

`requirements-dev.txt` brings click, rich and pygments. With them `import httpx` loads its command line as well, which
is a quarter of an agent's start.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Comes before everything else in the PYTHONPATH of a program that must not find it."""
