"""Pages for people: templates, styles, scripts, and the code that fills and serves them."""
