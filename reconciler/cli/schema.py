"""`reconciler schema`."""

import json

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the manifests, for editors.

    Save it as reconciler.schema.json, and name it in the first line of a
    manifest as `# yaml-language-server: $schema=./reconciler.schema.json`.
    """
    from reconciler.manifest.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
