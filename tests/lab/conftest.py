"""Let the tests import the lab's modules, and keep the tree free of byte code."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
