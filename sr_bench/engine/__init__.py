"""From a cell of a table to its verdict, one room a step.

plan       what is asked: options, suites, and a Case for each claim
prepare    the network of a Case as a file that a backend opens: export, fp16, int8
measure    that network over the images of a dataset: a Run, image by image, cached by content
score      an output beside its ground truth: metrics by the protocol
judge      a measurement beside its claim, limits or earlier run: a Verdict
gates      a low precision beside fp32
explain    why a number differs, or a gate is lost
search     an int8 plan with as few layers in float as a fidelity allows
agree      one file on several runtimes: how far they are apart, and where they part
elsewhere  the measuring in a child process or on a cluster
bench      a Case in, a Record out: the only room that sees all others
"""
