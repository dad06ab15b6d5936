"""The controls of the page of heat maps, in the row of the tabs."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget
from superqt import QToggleSwitch

from ..canvas_map_reading import VARIANT_TIPS, VARIANTS
from ..theme import BLUE, look
from ..widgets import IconButton, QuietLabel
from ..widgets.calm import keep_wheel_calm
from .review_maps_model import ORDERS


class MapsHead(QWidget):
    """What is shown, in the row of the tabs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run = QuietLabel("", self)
        self.run.setWordWrap(False)
        self.run.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.classes, self.order = QComboBox(self), QComboBox(self)
        self.classes.setAccessibleName("Class")
        self.classes.setToolTip("The class whose maps are shown, the most suspicious first")
        self.order.setAccessibleName("Order")
        self.order.setToolTip("The order of the maps")
        for value, words in ORDERS.items():
            self.order.addItem(words, value)
        self.variant = QComboBox(self)
        self.variant.setAccessibleName("Kind of heat map")
        for value, words in VARIANTS.items():
            self.variant.addItem(words, value)
            self.variant.setItemData(
                self.variant.count() - 1, VARIANT_TIPS[value], Qt.ItemDataRole.ToolTipRole
            )
        self.variant.setToolTip("Kind of heat map; another one looks at all test cases again")
        for box in (self.classes, self.order, self.variant):
            keep_wheel_calm(box)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.heat = QToggleSwitch("Map", self)
        self.heat.setChecked(True)
        self.heat.setToolTip("Show the heat maps over the images, or the images alone")
        self.again = IconButton("ph.arrows-clockwise", "Look at all test cases again", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.run, 1)
        for part in (self.classes, self.order, self.variant, self.heat, self.again):
            row.addWidget(part)

    def wear_icon(self) -> None:
        """Draw the switch in the colours of the theme."""
        self.heat.onColor = QColor(BLUE)
        self.heat.offColor = QColor(look().tokens.track)
        self.heat.handleColor = QColor("#f0f1f2")
