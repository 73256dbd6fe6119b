"""Who a session belongs to: userinfo, the identity URL, the discovery document."""

from integrations.simulators.salesforce import access, errors, oauth
from integrations.simulators.salesforce.access import Grant
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.values import iso
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json, Reply, Request, json_reply


def userinfo(world: World, request: Request) -> Reply:
    """GET or POST /services/oauth2/userinfo."""
    grant = access.authenticate(world, request)
    row = grant.org.tables["User"].rows[grant.user]
    return json_reply(_claims(request, grant, row))


def _claims(request: Request, grant: Grant, row: Row) -> Json:
    base = oauth.base_url(request)
    name = f"{row.values['FirstName']} {row.values['LastName']}"
    return {
        "sub": f"{base}/id/{grant.org.id}/{row.id}",
        "user_id": row.id,
        "organization_id": grant.org.id,
        "preferred_username": row.values["Username"],
        "nickname": row.values["CommunityNickname"],
        "name": name,
        "given_name": row.values["FirstName"],
        "family_name": row.values["LastName"],
        "email": row.values["Email"],
        "email_verified": True,
        "zoneinfo": row.values["TimeZoneSidKey"],
        "locale": row.values["LocaleSidKey"],
        "language": row.values["LanguageLocaleKey"],
        "active": bool(row.values.get("IsActive")),
        "user_type": "STANDARD",
        "is_salesforce_integration_user": False,
        "updated_at": iso(row.modified),
        "urls": _urls(base),
    }


def _urls(base: str) -> Json:
    data = f"{base}/services/data/v{{version}}/"
    return {
        "enterprise": f"{base}/services/Soap/c/{{version}}/",
        "metadata": f"{base}/services/Soap/m/{{version}}/",
        "partner": f"{base}/services/Soap/u/{{version}}/",
        "rest": data,
        "sobjects": f"{data}sobjects/",
        "search": f"{data}search/",
        "query": f"{data}query/",
        "tooling_rest": f"{data}tooling/",
        "custom_domain": base,
    }


def identity(world: World, request: Request, segments: list[str]) -> Reply:
    """GET /id/{organization}/{user}."""
    grant = access.authenticate(world, request)
    if segments[1][:15] != grant.org.id[:15]:
        raise errors.plain(403, "FORBIDDEN", "Wrong organization")
    row = grant.org.tables["User"].rows.get(segments[2])
    if row is None:
        raise errors.not_found()
    claims = _claims(request, grant, row)
    return json_reply(
        {
            "id": claims["sub"],
            "asserted_user": True,
            "user_id": row.id,
            "organization_id": grant.org.id,
            "username": row.values["Username"],
            "nick_name": claims["nickname"],
            "display_name": claims["name"],
            "email": row.values["Email"],
            "email_verified": True,
            "first_name": row.values["FirstName"],
            "last_name": row.values["LastName"],
            "timezone": claims["zoneinfo"],
            "active": claims["active"],
            "user_type": "STANDARD",
            "language": claims["language"],
            "locale": claims["locale"],
            "last_modified_date": iso(row.modified),
            "urls": claims["urls"],
        }
    )


def discovery(world: World, request: Request) -> Reply:
    """GET /.well-known/openid-configuration."""
    base = oauth.base_url(request)
    return json_reply(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/services/oauth2/authorize",
            "token_endpoint": f"{base}/services/oauth2/token",
            "revocation_endpoint": f"{base}/services/oauth2/revoke",
            "userinfo_endpoint": f"{base}/services/oauth2/userinfo",
            "introspection_endpoint": f"{base}/services/oauth2/introspect",
            "scopes_supported": ["api", "full", "id", "openid", "refresh_token", "web"],
            "response_types_supported": ["code"],
        }
    )
