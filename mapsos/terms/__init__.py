"""Words that everybody speaks: values and pure functions over single values, from the standard library alone."""
