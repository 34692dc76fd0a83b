"""Pages for people: templates, what they look like and do in a browser, and the files that they are made of."""
