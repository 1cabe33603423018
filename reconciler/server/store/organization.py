"""The one organisation of a store, and its one user."""

from typing import Any

from sqlalchemy import Connection, select

from reconciler.server.store.tables import organizations, users
from reconciler.server.store.views import Made, View

USER_VIEW: View = {
    "id": users.c.id,
    "email": users.c.email,
    "name": users.c.name,
    "nickname": users.c.name,
    "picture": Made((), lambda: ""),
    "isExternalUser": Made((), lambda: False),
    "isViewer": Made((), lambda: False),
    "lastLoginAt": Made((), lambda: None),
    "createdAt": users.c.created_at,
    "updatedAt": users.c.updated_at,
}
"""How the user's fields are read; what this server knows nothing of is empty."""


ORGANIZATION_VIEW: View = {
    "id": organizations.c.id,
    "name": organizations.c.name,
    "createdAt": organizations.c.created_at,
    "updatedAt": organizations.c.updated_at,
}
"""How the organisation's fields are read."""


def read_organization(db: Connection) -> dict[str, Any]:
    """Read the organisation, with all fields."""
    row = db.execute(select(organizations)).one()
    return {
        "id": row.id,
        "name": row.name,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


def read_user(db: Connection) -> dict[str, Any]:
    """Read the user, with all fields."""
    row = db.execute(select(users)).one()
    return {
        "id": row.id,
        "email": row.email,
        "name": row.name,
        "nickname": row.name,
        "picture": "",
        "isExternalUser": False,
        "isViewer": False,
        "lastLoginAt": None,
        "timezone": "UTC",
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }
