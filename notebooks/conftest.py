"""For `pytest --nbmake`: every notebook has a core of its own."""

import os

# Two kernels whose torch takes all cores each wait for one another; commands inherit this too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
