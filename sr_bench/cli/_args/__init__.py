"""Arguments and answers that several commands share."""
