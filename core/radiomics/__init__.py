"""Features of regions: size, shape, grey values and texture, by two engines behind one face."""
