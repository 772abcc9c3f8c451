"""Comparisons across generations: diff, check against another generation, check all, bisect."""
