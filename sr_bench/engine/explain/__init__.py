"""Why it differs: a number or a loss in; ways of scoring or layers that make it out."""
