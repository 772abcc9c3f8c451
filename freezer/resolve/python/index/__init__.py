"""One index for one resolve session: served locally, cut off at a date, merged from several."""
