"""Where archives are kept: a folder, a bucket of S3, a repository of a registry; write-once."""
