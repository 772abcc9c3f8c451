"""The index of a resolve session: served locally, with a cut-off, merged from several."""
