"""Small documents: capabilities, sensors, features, schemas, availability."""
