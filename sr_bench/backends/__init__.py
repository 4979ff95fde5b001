"""What runs a network: an artefact in, a session out that maps LR to SR arrays.

One module or package for each backend, all with the same functions.
"""
