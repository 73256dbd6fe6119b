"""How the HubSpot simulator is started."""

from integrations.simulators.command import Command
from integrations.simulators.hubspot.app import HubSpotSimulator
from integrations.simulators.hubspot.world import Options

COMMAND = Command(
    name="hubspot",
    port=8801,
    build=HubSpotSimulator,
    options=Options,
    token_help="a private app token (pat-...)",
)
