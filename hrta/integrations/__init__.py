"""Callbacks that set s in the training loops of other packages, a module for each package."""
