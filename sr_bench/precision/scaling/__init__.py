"""Scales of the channels of a tensor, folded into the weights around it: one step for all."""
