"""Networks: an architecture, hyper-parameters and a weight file in; a torch module out."""
