"""A small workspace on disk, as a user would have it."""

from pathlib import Path

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: small
remote: {remote}
"""

MODEL = """\
apiVersion: reconciler/v1
kind: Ontology
name: animals
mediaType: TEXT
classifications:
  - name: animal
    type: radio
    options: [cat, dog]
---
apiVersion: reconciler/v1
kind: Dataset
name: notes
files:
  - file: notes.csv
    columns: {globalKey: key, rowData: text}
---
apiVersion: reconciler/v1
kind: Model
name: animals
ontology: animals
"""

NOTES = """\
key,text,split
n1,the cat sat,TRAINING
n2,the dog ran,TRAINING
n3,a cat slept,VALIDATION
n4,a dog barked,TEST
n5,no animal here,
"""

RUNS = """\
apiVersion: reconciler/v1
kind: DataRows
name: notes
globalKeys: {file: notes.csv, column: key}
splits: {column: split}
---
apiVersion: reconciler/v1
kind: RunConfig
name: shared
config:
  batch_size: 32
  optimizer: {lr: 1e-4}
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: first
configFrom: {name: shared}
rows: notes
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: second
configFrom: {name: shared, set: {optimizer: {lr: 0.01}}}
rows: {globalKeys: [n1, n2], splits: {positions: {TRAINING: "[:1]", TEST: "[1:]"}}}
"""


def make_workspace(root: Path, *, remote: str = "local") -> Path:
    """Write a workspace of one model and two runs of five texts."""
    specs = root / "specs"
    specs.mkdir(parents=True)
    (root / "reconciler.yaml").write_text(WORKSPACE.format(remote=remote))
    (specs / "model.yaml").write_text(MODEL)
    (specs / "notes.csv").write_text(NOTES)
    (specs / "runs.yaml").write_text(RUNS)
    return root
