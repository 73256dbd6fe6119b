"""A simulated Salesforce, written from its published contract alone."""

from integrations.simulators.salesforce.app import SalesforceSimulator, build
from integrations.simulators.salesforce.world import AppConfig, Options

__all__ = ["AppConfig", "Options", "SalesforceSimulator", "build"]
