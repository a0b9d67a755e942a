"""What the workflow asks: items, sources, manifest, crate, report."""
