"""What deserves eyes: findings before training, label errors, which case next. No torch."""
