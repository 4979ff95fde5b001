"""The outputs of networks as files, so that they can be scored where there is no device."""
