"""How the methods of a race are trained: a module for each, by the name of its trainer.

Each has `train(task)`, which trains a network for each candidate and seed of the task. It returns a
table of run, step, evaluations (of the gradient on all points), seconds (of one run), loss and,
with a test set, test_loss and, for classes, test_error, a row for each run and logged step; and
answer, if not all rows have the activation that the method ends with. Losses are 1/(2n) sum of
squares, whatever is minimised, for classes the mean cross-entropy, and infinite once a run has
diverged.
"""
