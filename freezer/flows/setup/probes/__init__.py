"""What ``freeze doctor`` looks at: small functions that each return findings."""
