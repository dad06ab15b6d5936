"""The digital phantom of IBSI, its published values, and its definitions worked out in loops.

Values: A. Zwanenburg et al., IBSI reference manual (arXiv 1612.07003), chapter 3, rows
"dig. phantom" of 3D features; of co-occurrence and run lengths "3D, averaged" over directions.
Numbers stand with the digits that are published. Nothing of the program is used here.
"""

import itertools
from collections import Counter

import numpy as np
from skimage.measure import marching_cubes

OUTSIDE = 9
VOXEL_MM = 2.0
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [9, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 9, 9], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 9, 9], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
"""(z, y, x) grey levels."""

PUBLISHED = {
    "shape": "MeshVolume 556, VoxelVolume 592, SurfaceArea 388, SurfaceVolumeRatio 0.698, "
    "Sphericity 0.843, Maximum3DDiameter 13.1, MajorAxisLength 11.4, MinorAxisLength 9.31, "
    "LeastAxisLength 8.54, Elongation 0.816, Flatness 0.749",
    "firstorder": "Mean 2.15, Variance 3.05, Skewness 1.08, Kurtosis-3 -0.355, Median 1, "
    "Minimum 1, 10Percentile 1, 90Percentile 4, Maximum 6, InterquartileRange 3, Range 5, "
    "MeanAbsoluteDeviation 1.55, RobustMeanAbsoluteDeviation 1.11, Energy 567, "
    "RootMeanSquared 2.77, Entropy 1.27, Uniformity 0.512",
    "glcm": "MaximumProbability 0.503, JointAverage 2.14, SumSquares 3.10, JointEntropy 2.40, "
    "DifferenceAverage 1.43, DifferenceVariance 3.06, DifferenceEntropy 1.56, SumAverage 4.29, "
    "SumEntropy 1.92, JointEnergy 0.303, Contrast 5.32, Id 0.677, Idn 0.851, Idm 0.618, "
    "Idmn 0.898, InverseVariance 0.0604, Correlation 0.157, Autocorrelation 5.06, "
    "ClusterTendency 7.07, ClusterShade 16.6, ClusterProminence 145, Imc1 -0.157, Imc2 0.520",
    "glrlm": "ShortRunEmphasis 0.705, LongRunEmphasis 3.06, LowGrayLevelRunEmphasis 0.603, "
    "HighGrayLevelRunEmphasis 9.70, ShortRunLowGrayLevelEmphasis 0.352, "
    "ShortRunHighGrayLevelEmphasis 8.54, LongRunLowGrayLevelEmphasis 2.39, "
    "LongRunHighGrayLevelEmphasis 17.6, GrayLevelNonUniformity 21.8, "
    "GrayLevelNonUniformityNormalized 0.430, RunLengthNonUniformity 26.9, "
    "RunLengthNonUniformityNormalized 0.513, RunPercentage 0.680, GrayLevelVariance 3.46, "
    "RunVariance 0.574, RunEntropy 2.43",
    "glszm": "SmallAreaEmphasis 0.255, LargeAreaEmphasis 550, LowGrayLevelZoneEmphasis 0.253, "
    "HighGrayLevelZoneEmphasis 15.6, SmallAreaLowGrayLevelEmphasis 0.0256, "
    "SmallAreaHighGrayLevelEmphasis 2.76, LargeAreaLowGrayLevelEmphasis 503, "
    "LargeAreaHighGrayLevelEmphasis 1.49e3, GrayLevelNonUniformity 1.40, "
    "GrayLevelNonUniformityNormalized 0.280, SizeZoneNonUniformity 1, "
    "SizeZoneNonUniformityNormalized 0.2, ZonePercentage 0.0676, GrayLevelVariance 2.64, "
    "ZoneVariance 331, ZoneEntropy 2.32",
    "gldm": "SmallDependenceEmphasis 0.0450, LargeDependenceEmphasis 109, "
    "LowGrayLevelEmphasis 0.693, HighGrayLevelEmphasis 7.66, "
    "SmallDependenceLowGrayLevelEmphasis 0.00963, SmallDependenceHighGrayLevelEmphasis 0.736, "
    "LargeDependenceLowGrayLevelEmphasis 102, LargeDependenceHighGrayLevelEmphasis 235, "
    "GrayLevelNonUniformity 37.9, DependenceNonUniformity 4.86, "
    "DependenceNonUniformityNormalized 0.0657, GrayLevelVariance 3.05, DependenceVariance 22.1, "
    "DependenceEntropy 4.40",
    "ngtdm": "Coarseness 0.0296, Contrast 0.584, Busyness 6.54, Complexity 13.5, Strength 0.763",
}


def published():
    """Class, name and value as text."""
    for class_, listed in PUBLISHED.items():
        for one in listed.split(", "):
            yield class_, *one.split()


def last_digit(text):
    """Half a unit of the last digit that is published."""
    mantissa, _, power = text.partition("e")
    return 0.5001 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))


def by_definition():
    """Every feature of `PUBLISHED`, by class and name, from the manual's formulas."""
    grey = {tuple(place): int(PHANTOM[tuple(place)]) for place in np.argwhere(PHANTOM < OUTSIDE)}
    half = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]
    around = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]
    dependence = Counter(
        (level, 1 + sum(grey.get(_moved(place, step)) == level for step in around))
        for place, level in grey.items()
    )
    return {
        "shape": _shape(),
        "firstorder": _values(np.array(sorted(grey.values()), dtype=float)),
        "glcm": _mean(_pairs(grey, step) for step in half),
        "glrlm": _mean(_named("glrlm", _runs(grey, step), len(grey)) for step in half),
        "glszm": _named("glszm", _zones(grey, around), len(grey)),
        "gldm": _named("gldm", dependence, len(grey)),
        "ngtdm": _differences(grey, around),
    }


def _moved(place, step, times=1):
    return tuple(a + times * b for a, b in zip(place, step, strict=True))


def _mean(found):
    every = list(found)
    return {name: sum(one[name] for one in every) / len(every) for name in every[0]}


def _entropy(shares):
    kept = np.asarray([one for one in shares if one > 0])
    return float(-(kept * np.log2(kept)).sum())


def _shape():
    points, faces, *_ = marching_cubes(
        np.pad(PHANTOM < OUTSIDE, 1).astype(float), 0.5, spacing=(VOXEL_MM,) * 3, method="lorensen"
    )
    a, b, c = points[faces].transpose(1, 0, 2).astype(float)
    volume = abs((np.cross(a, b) * c).sum() / 6)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    centres = np.argwhere(PHANTOM < OUTSIDE) * VOXEL_MM
    axes = 4 * np.sqrt(np.linalg.eigvalsh(np.cov(centres.T)))  # over the number less 1
    apart = points[:, None] - points[None]
    return {
        "MeshVolume": volume,
        "VoxelVolume": len(centres) * VOXEL_MM**3,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Sphericity": (36 * np.pi * volume**2) ** (1 / 3) / area,
        "Maximum3DDiameter": np.sqrt((apart**2).sum(axis=2).max()),
        "MajorAxisLength": axes[2],
        "MinorAxisLength": axes[1],
        "LeastAxisLength": axes[0],
        "Elongation": axes[1] / axes[2],
        "Flatness": axes[0] / axes[2],
    }


def _values(x):
    apart = x - x.mean()
    low, high = np.percentile(x, [10, 90])
    kept = x[(x >= low) & (x <= high)]
    shares = [float((x == level).mean()) for level in set(x)]
    return {
        "Mean": x.mean(),
        "Variance": (apart**2).mean(),
        "Skewness": (apart**3).mean() / (apart**2).mean() ** 1.5,
        "Kurtosis-3": (apart**4).mean() / (apart**2).mean() ** 2 - 3,
        "Median": np.median(x),
        "Minimum": x.min(),
        "10Percentile": low,
        "90Percentile": high,
        "Maximum": x.max(),
        "InterquartileRange": np.percentile(x, 75) - np.percentile(x, 25),
        "Range": x.max() - x.min(),
        "MeanAbsoluteDeviation": abs(apart).mean(),
        "RobustMeanAbsoluteDeviation": abs(kept - kept.mean()).mean(),
        "Energy": (x**2).sum(),
        "RootMeanSquared": np.sqrt((x**2).mean()),
        "Entropy": _entropy(shares),
        "Uniformity": sum(one**2 for one in shares),
    }


def _pairs(grey, step):
    counts = Counter()
    for place, level in grey.items():
        other = grey.get(_moved(place, step))
        if other is not None:
            counts[level, other] += 1
            counts[other, level] += 1
    number, highest = sum(counts.values()), max(grey.values())
    share = {pair: count / number for pair, count in counts.items()}
    row, sums, apart = Counter(), Counter(), Counter()
    for (i, j), p in share.items():
        row[i] += p
        sums[i + j] += p
        apart[abs(i - j)] += p
    mean = sum(i * p for i, p in row.items())
    variance = sum((i - mean) ** 2 * p for i, p in row.items())
    average = sum(k * p for k, p in apart.items())
    joint = _entropy(share.values())
    cross = -sum(p * np.log2(row[i] * row[j]) for (i, j), p in share.items())
    free = -sum(a * b * np.log2(a * b) for a in row.values() for b in row.values())

    def over(weight):
        return sum(weight(i, j) * p for (i, j), p in share.items())

    return {
        "MaximumProbability": max(share.values()),
        "JointAverage": mean,
        "SumSquares": variance,
        "JointEntropy": joint,
        "DifferenceAverage": average,
        "DifferenceVariance": sum((k - average) ** 2 * p for k, p in apart.items()),
        "DifferenceEntropy": _entropy(apart.values()),
        "SumAverage": sum(k * p for k, p in sums.items()),
        "SumEntropy": _entropy(sums.values()),
        "JointEnergy": sum(p * p for p in share.values()),
        "Contrast": over(lambda i, j: (i - j) ** 2),
        "Id": over(lambda i, j: 1 / (1 + abs(i - j))),
        "Idn": over(lambda i, j: 1 / (1 + abs(i - j) / highest)),
        "Idm": over(lambda i, j: 1 / (1 + (i - j) ** 2)),
        "Idmn": over(lambda i, j: 1 / (1 + (i - j) ** 2 / highest**2)),
        "InverseVariance": sum(p / k**2 for k, p in apart.items() if k),
        "Correlation": (over(lambda i, j: i * j) - mean**2) / variance,
        "Autocorrelation": over(lambda i, j: i * j),
        "ClusterTendency": over(lambda i, j: (i + j - 2 * mean) ** 2),
        "ClusterShade": over(lambda i, j: (i + j - 2 * mean) ** 3),
        "ClusterProminence": over(lambda i, j: (i + j - 2 * mean) ** 4),
        "Imc1": (joint - cross) / _entropy(row.values()),
        "Imc2": np.sqrt(1 - np.exp(-2 * (free - joint))),
    }


def _runs(grey, step):
    counts = Counter()
    for place, level in grey.items():
        if grey.get(_moved(place, step, -1)) != level:
            length = 1
            while grey.get(_moved(place, step, length)) == level:
                length += 1
            counts[level, length] += 1
    return counts


def _zones(grey, around):
    counts, left = Counter(), set(grey)
    while left:
        edge, size = [left.pop()], 0
        level = grey[edge[0]]
        while edge:
            place, size = edge.pop(), size + 1
            near = {_moved(place, step) for step in around}
            near = {one for one in near if one in left and grey[one] == level}
            left -= near
            edge += near
        counts[level, size] += 1
    return counts


def _named(class_, counts, voxels):
    small, large, sizes, thing, ending = {
        "glrlm": ("ShortRun", "LongRun", "RunLength", "Run", "RunEmphasis"),
        "glszm": ("SmallArea", "LargeArea", "SizeZone", "Zone", "ZoneEmphasis"),
        "gldm": ("SmallDependence", "LargeDependence", "Dependence", "Dependence", "Emphasis"),
    }[class_]
    number = sum(counts.values())
    share = {cell: count / number for cell, count in counts.items()}
    levels, lengths = Counter(), Counter()
    for (i, j), count in counts.items():
        levels[i] += count
        lengths[j] += count

    def over(weight):
        return sum(weight(i, j) * p for (i, j), p in share.items())

    mean_level, mean_size = over(lambda i, j: i), over(lambda i, j: j)
    by_level = sum(count**2 for count in levels.values()) / number
    by_size = sum(count**2 for count in lengths.values()) / number
    return {
        f"{small}Emphasis": over(lambda i, j: 1 / j**2),
        f"{large}Emphasis": over(lambda i, j: j**2),
        f"LowGrayLevel{ending}": over(lambda i, j: 1 / i**2),
        f"HighGrayLevel{ending}": over(lambda i, j: i**2),
        f"{small}LowGrayLevelEmphasis": over(lambda i, j: 1 / (i * j) ** 2),
        f"{small}HighGrayLevelEmphasis": over(lambda i, j: i**2 / j**2),
        f"{large}LowGrayLevelEmphasis": over(lambda i, j: j**2 / i**2),
        f"{large}HighGrayLevelEmphasis": over(lambda i, j: (i * j) ** 2),
        "GrayLevelNonUniformity": by_level,
        "GrayLevelNonUniformityNormalized": by_level / number,
        f"{sizes}NonUniformity": by_size,
        f"{sizes}NonUniformityNormalized": by_size / number,
        "GrayLevelVariance": over(lambda i, j: (i - mean_level) ** 2),
        f"{thing}Variance": over(lambda i, j: (j - mean_size) ** 2),
        f"{thing}Entropy": _entropy(share.values()),
        f"{thing}Percentage": number / voxels,
    }


def _differences(grey, around):
    number, apart = Counter(), Counter()
    for place, level in grey.items():
        beside = [grey[one] for one in (_moved(place, step) for step in around) if one in grey]
        number[level] += 1
        apart[level] += abs(level - sum(beside) / len(beside))
    voxels = sum(number.values())
    p = {level: count / voxels for level, count in number.items()}
    both = [(i, j) for i in p for j in p]
    uneven, total = sum(p[i] * apart[i] for i in p), sum(apart.values())
    spread = sum(p[i] * p[j] * (i - j) ** 2 for i, j in both)
    mixed = sum(abs(i - j) * (p[i] * apart[i] + p[j] * apart[j]) / (p[i] + p[j]) for i, j in both)
    return {
        "Coarseness": 1 / uneven,
        "Contrast": spread / (len(p) * (len(p) - 1)) * total / voxels,
        "Busyness": uneven / sum(abs(i * p[i] - j * p[j]) for i, j in both),
        "Complexity": mixed / voxels,
        "Strength": sum((p[i] + p[j]) * (i - j) ** 2 for i, j in both) / total,
    }
