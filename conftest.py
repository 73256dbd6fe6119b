"""What every test of the project shares."""

pytest_plugins = ["crmsync.platform.pytest_services", "integrations.simulators.testing"]
