"""Reading a mapfile into the model: what the service is, which layers it has, and what is wrong with them."""
