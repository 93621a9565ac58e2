"""Pages that are made from what was built; each module has write(root, build, out, source)."""
