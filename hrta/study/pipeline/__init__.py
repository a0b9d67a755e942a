"""The Python code of the workflow: jobs, items, sources, manifest, crate, report."""
