"""Find what is wrong with a document's numbers without running a model.

In come documents, with the cards that bind them; out go findings of rules, one file each.
"""
