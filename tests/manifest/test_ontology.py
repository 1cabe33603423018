from collections.abc import Callable

from reconciler.state.address import Address
from reconciler.state.resources import Ontology
from reconciler.state.snapshot import Desired

Load = Callable[[dict[str, str]], Desired]


def _ontology(text: str, load_files: Load) -> Ontology:
    head = "apiVersion: reconciler/v1\nkind: Ontology\nname: o\n"
    resource = load_files({"specs/a.yaml": head + text}).resources[
        Address.parse("ontology/o")
    ]
    assert isinstance(resource, Ontology)
    return resource


def test_an_ontology_without_schema_is_a_reference(load_files: Load) -> None:
    assert _ontology("mediaType: IMAGE\n", load_files) == Ontology("o", "IMAGE", None)


def test_an_empty_list_of_tools_is_a_schema(load_files: Load) -> None:
    assert _ontology("tools: []\n", load_files).schema == {
        "classifications": [],
        "tools": [],
    }


def test_an_ontology_is_brought_to_the_normalized_form(load_files: Load) -> None:
    ontology = _ontology(
        """
tools:
- tool: rectangle
  name: car
  classifications:
  - {type: text, name: plate, required: true}
classifications:
- type: radio
  name: weather
  instructions: What is the weather?
  options:
  - sunny
  - value: rain
    label: Rainy
    classifications:
    - {type: checklist, name: kind, options: [drizzle]}
- {type: checklist, name: seen, scope: index, options: [people]}
""",
        load_files,
    )

    assert ontology.schema == {
        "tools": [
            {
                "tool": "rectangle",
                "name": "car",
                "required": False,
                "classifications": [
                    {
                        "type": "text",
                        "name": "plate",
                        "instructions": "plate",
                        "required": True,
                        "options": [],
                    }
                ],
            }
        ],
        "classifications": [
            {
                "type": "radio",
                "name": "weather",
                "instructions": "What is the weather?",
                "required": False,
                "scope": "global",
                "options": [
                    {"value": "sunny", "label": "sunny", "options": []},
                    {
                        "value": "rain",
                        "label": "Rainy",
                        "options": [
                            {
                                "type": "checklist",
                                "name": "kind",
                                "instructions": "kind",
                                "required": False,
                                "options": [
                                    {
                                        "value": "drizzle",
                                        "label": "drizzle",
                                        "options": [],
                                    }
                                ],
                            }
                        ],
                    },
                ],
            },
            {
                "type": "checklist",
                "name": "seen",
                "instructions": "seen",
                "required": False,
                "scope": "index",
                "options": [{"value": "people", "label": "people", "options": []}],
            },
        ],
    }
