"""The platform's rooms. Each has its settings, pure builders, and one component that registers."""
