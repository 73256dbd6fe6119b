"""How the Salesforce simulator is started."""

from integrations.simulators.command import Command
from integrations.simulators.salesforce.app import SalesforceSimulator
from integrations.simulators.salesforce.world import Options

COMMAND = Command(
    name="salesforce",
    port=8802,
    build=SalesforceSimulator,
    options=Options,
    token_help="a session id that never expires",
)
