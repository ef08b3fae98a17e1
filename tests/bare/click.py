"""Is found instead of click, and says that there is none."""

raise ImportError("A user's installation has no click.")
