"""Questions that a service answers, whatever the protocol, one module for each operation.

A module takes a frozen question (`questions`) and returns an `Answer` or a small value; errors are a kind and a
subject (`errors`). `Host` owns everything that lasts longer than a request. Nothing here reads a parameter, sees a
header, or knows the name of an XML element, a locator or an exception code.
"""
