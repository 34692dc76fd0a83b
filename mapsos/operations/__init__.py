"""What a service can be asked, and how it is answered, whatever the protocol.

A module for each operation takes a frozen question (`questions`) and returns an `Answer` or a small value; errors are
a kind and a subject (`errors`). `Host` owns everything that lasts longer than a request. Nothing here reads a
parameter, sees a header, or knows the name of an XML element, a locator or an exception code.
"""
