"""Networks: U-Nets for label maps, encoders with a head for image-level classes."""
