"""The trainers of a race: one module each, named as in the spec.

Each has `train(task)`, which trains a network for each candidate and seed of the task. It returns a
table with a row for each run and logged step, of run, step, evaluations (of the gradient on all
points), seconds (of one run), loss, with a test set test_loss, for classes test_error, and answer
(whether the network has the activation of the last stage; may be left out if always true). Losses
are 1/(2n) times the sum of squares, whatever is minimised, or for classes the mean cross-entropy;
they are infinite once a run has diverged.
"""
