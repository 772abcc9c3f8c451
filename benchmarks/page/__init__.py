"""The page of runs in a headless Chromium: opening, filtering, scrolling."""
