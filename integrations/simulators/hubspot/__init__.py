"""A simulated HubSpot, written from its published contract alone."""

from integrations.simulators.hubspot.app import HubSpotSimulator, build
from integrations.simulators.hubspot.world import AppConfig, Options

__all__ = ["AppConfig", "HubSpotSimulator", "Options", "build"]
