"""The features' names, PyRadiomics' own, class by class; torch-free."""

CLASSES = ("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""The classes of features that can be chosen; `shape` is `shape2D` on a flat picture."""

_NAMES = {
    "firstorder": "10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis Maximum "
    "MeanAbsoluteDeviation Mean Median Minimum Range RobustMeanAbsoluteDeviation RootMeanSquared "
    "Skewness TotalEnergy Uniformity Variance",
    "shape": "Elongation Flatness LeastAxisLength MajorAxisLength Maximum2DDiameterColumn "
    "Maximum2DDiameterRow Maximum2DDiameterSlice Maximum3DDiameter MeshVolume MinorAxisLength "
    "Sphericity SurfaceArea SurfaceVolumeRatio VoxelVolume",
    "shape2D": "Elongation MajorAxisLength MaximumDiameter MeshSurface MinorAxisLength Perimeter "
    "PerimeterSurfaceRatio PixelSurface Sphericity",
    "glcm": "Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast Correlation "
    "DifferenceAverage DifferenceEntropy DifferenceVariance Id Idm Idmn Idn Imc1 Imc2 "
    "InverseVariance JointAverage JointEnergy JointEntropy MCC MaximumProbability SumAverage "
    "SumEntropy SumSquares",
    "glrlm": "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance "
    "HighGrayLevelRunEmphasis LongRunEmphasis LongRunHighGrayLevelEmphasis "
    "LongRunLowGrayLevelEmphasis LowGrayLevelRunEmphasis RunEntropy RunLengthNonUniformity "
    "RunLengthNonUniformityNormalized RunPercentage RunVariance ShortRunEmphasis "
    "ShortRunHighGrayLevelEmphasis ShortRunLowGrayLevelEmphasis",
    "glszm": "GrayLevelNonUniformity GrayLevelNonUniformityNormalized GrayLevelVariance "
    "HighGrayLevelZoneEmphasis LargeAreaEmphasis LargeAreaHighGrayLevelEmphasis "
    "LargeAreaLowGrayLevelEmphasis LowGrayLevelZoneEmphasis SizeZoneNonUniformity "
    "SizeZoneNonUniformityNormalized SmallAreaEmphasis SmallAreaHighGrayLevelEmphasis "
    "SmallAreaLowGrayLevelEmphasis ZoneEntropy ZonePercentage ZoneVariance",
    "gldm": "DependenceEntropy DependenceNonUniformity DependenceNonUniformityNormalized "
    "DependenceVariance GrayLevelNonUniformity GrayLevelVariance HighGrayLevelEmphasis "
    "LargeDependenceEmphasis LargeDependenceHighGrayLevelEmphasis "
    "LargeDependenceLowGrayLevelEmphasis LowGrayLevelEmphasis SmallDependenceEmphasis "
    "SmallDependenceHighGrayLevelEmphasis SmallDependenceLowGrayLevelEmphasis",
    "ngtdm": "Busyness Coarseness Complexity Contrast Strength",
}
FEATURES: dict[str, tuple[str, ...]] = {one: tuple(all_.split()) for one, all_ in _NAMES.items()}
"""The features of each class by their short names."""


def class_of(chosen: str, flat: bool) -> str:
    """Give the class that `shape` stands for on a flat picture or a volume; others as they are."""
    return "shape2D" if chosen == "shape" and flat else chosen


def full_name(class_: str, feature: str) -> str:
    """Give PyRadiomics' name of a feature of the unfiltered image."""
    return f"original_{class_}_{feature}"
