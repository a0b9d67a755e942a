"""The hot loop's arithmetic: loss and gradient of an ensemble, one file per engine."""
