"""stubgen: compiles idl/*.idl into C stubs, skeletons, decoders, fakes, fuzz targets, a manual and ABI locks.

Pipeline, one module a step:

    grammar.lark, parse.py   text -> tree (tree.py: dataclasses with source positions)
    check.py                 tree -> symbols: names, constants, types and their sizes; every rule of the language
    ir.py                    symbols -> one JSON-able dictionary with all offsets, checks and C names
    render.py, templates/    IR -> files
    lock.py                  IR -> idl/abi/X.lock, and the comparison of an edit with it

Nothing is written when a file has an error. diagnostics.py says how errors look.
"""
