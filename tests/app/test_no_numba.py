"""The window leaves numba to the compute process."""

import subprocess
import sys

CODE = """
import sys
from longtail.app.launch import import_shapes_without_numba
import_shapes_without_numba()
from napari.layers import Shapes
boxes = Shapes([[[0, 0], [2, 3]]], shape_type="rectangle")
assert len(boxes.data) == 1
assert "numba" not in sys.modules
"""


def test_boxes_are_made_without_numba():
    subprocess.run([sys.executable, "-c", CODE], check=True)
