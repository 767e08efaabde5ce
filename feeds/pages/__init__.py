"""Pages for people, and frames for other sites."""
