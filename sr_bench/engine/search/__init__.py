"""Search for an int8 plan: by the errors of single layers, checked on images held out."""
