"""Where a network looks: maps class by class, boxes from them, and whether to believe them."""
