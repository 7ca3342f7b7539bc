"""What a network says of rewards: by paths, by all evidence at once, from binary labels."""
