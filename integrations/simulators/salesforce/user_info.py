"""Who a session belongs to, as the partner API says it: getUserInfo's result."""

from integrations.simulators import currencies
from integrations.simulators.salesforce import computed, ids
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.soap import SoapCall, tag
from integrations.simulators.wire import Json

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_LOCALES = {"USD": "en_US", "EUR": "fr_FR", "GBP": "en_GB", "CHF": "de_CH"}
_MOST_ATTACHED = 5 * 1024 * 1024


def result(call: SoapCall) -> str:
    """Return the inside of the result element."""
    org, user = call.grant.org, call.grant.user
    found = _organization(org) | _currencies(org, user) | _user(org, user)
    found["sessionSecondsValid"] = int(call.world.settings.access_token_ttl_s)
    # The WSDL's sequence, which clients may insist on, is that of their names.
    return "".join(tag(name, found[name]) for name in sorted(found))


def _organization(org: Org) -> Json:
    return {
        "organizationId": org.id,
        "organizationName": org.spec.name,
        "orgAttachmentFileSizeLimit": _MOST_ATTACHED,
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": False,
    }


def _currencies(org: Org, user: str) -> Json:
    """Say the organization's where there is one, else the user's."""
    several = org.multi_currency
    code = org.currencies[currencies.COMPANY]
    return {
        "organizationMultiCurrency": several,
        "currencySymbol": None if several else _SYMBOLS.get(code, code),
        "orgDefaultCurrencyIsoCode": None if several else code,
        "orgDefaultCurrencyLocale": None if several else _LOCALES.get(code, "en_US"),
        "userDefaultCurrencyIsoCode": org.currency_of(user) if several else None,
    }


def _user(org: Org, user: str) -> Json:
    row = org.tables["User"].rows[user]
    values = row.values
    return {
        "accessibilityMode": False,
        "chatterExternal": False,
        "profileId": ids.make("00e", org.pod, 1),
        "roleId": None,
        "userEmail": values["Email"],
        "userFullName": computed.full_name(row),
        "userId": row.id,
        "userLanguage": values["LanguageLocaleKey"],
        "userLocale": values["LocaleSidKey"],
        "userName": values["Username"],
        "userTimeZone": values["TimeZoneSidKey"],
        "userType": values["UserType"],
        "userUiSkin": "Theme3",
    }
