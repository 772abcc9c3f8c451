"""What bills of materials and policies cost, as typed commands."""
