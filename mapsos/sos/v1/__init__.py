"""SOS 1.0.0 as MapServer answers it: a request becomes a question, an answer becomes its document.

`interface` is the exchange, `operations` the one table of operations and their parameters, `errors` the table from
errors of ``operations`` to codes, locators and MapServer's wording; each operation has a module. Checks come in
MapServer's order. Data are never opened here, and no other protocol is imported.
"""
