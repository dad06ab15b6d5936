"""What a network is fed with: preprocessing, cases in memory, sampling, augmentation."""
