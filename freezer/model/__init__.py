"""The nouns: Spec, Lock, Package, Record, Verdict. Values only; no disk, network or Docker."""
