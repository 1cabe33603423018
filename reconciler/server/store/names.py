"""What objects may be called."""

from reconciler.server.errors import bad_input


def check_name(kind: str, name: str) -> None:
    """Refuse a name that is nothing but spaces.

    Args:
        kind: What is called so, with its article.
        name: The name.

    Raises:
        ApiError: Naming the kind.
    """
    if not name.strip():
        raise bad_input(f"the name of {kind} must not be empty")
