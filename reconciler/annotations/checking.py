"""One line of an import, read and checked on its own."""

from dataclasses import dataclass
from typing import Final

import msgspec

from reconciler.annotations.answers import (
    check_answer,
    check_frames,
    check_marks,
    check_nested,
)
from reconciler.annotations.bodies import check_body
from reconciler.annotations.checked import (
    Annotation,
    Checked,
    Ends,
    Metric,
    Refused,
    refuse,
)
from reconciler.annotations.features import Feature, Features
from reconciler.annotations.kinds import (
    ANSWERS,
    FIELDS,
    Form,
    Kind,
    can_be_made,
    check_media,
    forms_of,
    kind_of,
)
from reconciler.annotations.lenient import is_about, look_again, unknown_fields
from reconciler.annotations.metrics import (
    METRIC_FIELDS,
    aggregation_of,
    check_metric,
    is_metric,
    key_of,
)
from reconciler.annotations.problems import Problem, hint, show
from reconciler.annotations.rows import (
    Masks,
    Relation,
    Row,
    RowName,
    decode,
    metrics_of,
    read_uuid,
    schema_id_of,
)
from reconciler.annotations.rules import Purpose, Rules

_FIELDS: Final = tuple(sorted(FIELDS))


@dataclass(frozen=True, slots=True)
class Checker:
    """Reads the lines of one import.

    Attributes:
        features: What the ontology has.
        media_type: What the data is, as the API spells it; None if unknown.
        rules: Limits and choices.
        purpose: What is imported.
    """

    features: Features
    media_type: str | None
    rules: Rules
    purpose: Purpose

    def read(self, line: bytes) -> Checked:
        """Read a line, with or without white space around it; never raises.

        A line that is empty, no JSON, or not what the ontology, the data and the
        rules allow is refused, with all that was found to be wrong with it.
        """
        text = line.strip()
        try:
            row = decode(text)
            if not text.isascii():
                text.decode()  # fields that nobody knows were skipped, not read
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._refuse(text, error)
        return self._check(row, text, as_metric=is_metric(row))

    def _refuse(self, line: bytes, error: Exception) -> Refused:
        if not line:
            return refuse(None, None, [Problem("EmptyLine", "the line is empty")])
        look = look_again(line, error)
        problems = look.problems
        if look.wrong is not None:
            # Without its main field, a row can't but seem to be nothing.
            wrong = look.wrong | {""} if look.wrong & FIELDS else look.wrong
            metric = is_metric(look.row) or not wrong.isdisjoint(METRIC_FIELDS)
            again = self._check(look.row, line, as_metric=metric)
            if isinstance(again, Refused):
                more = (one for one in again.problems if not is_about(one, wrong))
                problems = [*problems, *more]
        given = look.row.uuid
        uuid = read_uuid(given) if given else None
        return refuse(uuid or given, look.row.data_row, problems)

    def _check(self, row: Row, line: bytes, *, as_metric: bool) -> Checked:
        found: list[Problem] = []
        uuid = _check_uuid(row, found)
        _check_data_row(row.data_row, found)
        if as_metric:
            self._check_metric(row, found)
            if found:
                return refuse(uuid or row.uuid, row.data_row, found)
            return _metric(row, uuid)
        if uuid is None and self.rules.require_uuid:
            found.append(Problem("MissingField", "uuid is missing", "uuid"))
        kind, feature = self._check_annotation(row, line, found)
        if found:
            return refuse(uuid or row.uuid, row.data_row, found)
        assert kind
        assert row.data_row
        return Annotation(
            line=line,
            uuid=uuid,
            row=row.data_row,
            kind=kind,
            feature=feature,
            ends=_ends(row.relationship) if row.relationship else None,
            benchmark=bool(row.benchmark),
        )

    def _check_metric(self, row: Row, found: list[Problem]) -> None:
        if self.purpose is not Purpose.PREDICTION:
            message = f"metrics come with predictions, not with a {self.purpose}"
            found.append(Problem("NotSupported", message, "metricName"))
        if forms := forms_of(row):
            message = f"the row is a metric, and it has {forms[0].field} as well"
            found.append(Problem("SeveralAnnotations", message, forms[0].field))
        check_metric(row, self.features, self.rules, found)

    def _check_annotation(
        self, row: Row, line: bytes, found: list[Problem]
    ) -> tuple[Kind | None, Feature | None]:
        forms = forms_of(row)
        form = forms[0] if len(forms) == 1 else None
        if form is None:
            found.append(_no_single_form(forms, line))
        elif form.kind is Kind.VIDEO_MASKS and row.masks:
            check_media(form, form.kind, self.media_type, self.purpose, found)
            check_body(row, form.kind, None, self.purpose, found)
            self._check_instances(row.masks, form, found)
            return form.kind, None
        schema_id = schema_id_of(row)
        feature = self._find(row.name, schema_id, form, "", found)
        kind = kind_of(form, row, feature) if form else None
        if form and kind:
            check_media(form, kind, self.media_type, self.purpose, found)
        marks = self.purpose is Purpose.PREDICTION
        if kind in ANSWERS:
            check_frames(row.frames, "", found)
            if feature:
                check_answer(row, feature, "", marks, found)
            elif marks:
                check_marks(row, "", found)
            return kind, feature
        if kind:
            check_body(row, kind, feature, self.purpose, found)
        self._check_object(row, kind, feature, found)
        return kind, feature

    def _check_object(
        self, row: Row, kind: Kind | None, feature: Feature | None, found: list[Problem]
    ) -> None:
        marks = self.purpose is Purpose.PREDICTION
        if marks and kind is not Kind.VIDEO_OBJECT:
            check_marks(row, "", found)
        bare = marks and kind is Kind.MASK and not self.rules.mask_metrics
        if bare and metrics_of(row):
            message = "a raster mask takes no custom metrics"
            found.append(Problem("NotSupported", message, "customMetrics"))
        if feature:
            check_nested(
                row.classifications,
                feature,
                "",
                marks,
                found,
            )

    def _check_instances(self, masks: Masks, form: Form, found: list[Problem]) -> None:
        for n, one in enumerate(masks.instances):
            prefix = f"masks.instances[{n}]."
            schema_id = one.schema_id or one.feature_schema_id
            self._find(one.name, schema_id, form, prefix, found)

    def _find(
        self,
        name: str | None,
        schema_id: str | None,
        form: Form | None,
        prefix: str,
        found: list[Problem],
    ) -> Feature | None:
        top = self.features.top
        meant = top.find(name, schema_id)
        if len(meant) > 1 and form:
            fitting = [one for one in meant if can_be_made(form, one)]
            meant = fitting if len(fitting) == 1 else meant
        if len(meant) != 1:
            found.append(
                top.explain(
                    name, schema_id, what="feature", owner="the ontology", prefix=prefix
                )
            )
            return None
        feature = meant[0]
        if form and not can_be_made(form, feature):
            message = (
                f"{show(feature.name)} is of type {feature.type} "
                f"and takes no {form.field}"
            )
            found.append(Problem("WrongFeature", message, form.field))
            return None
        return feature


def _check_uuid(row: Row, found: list[Problem]) -> str | None:
    if row.uuid is None:
        return None
    uuid = read_uuid(row.uuid)
    if uuid is None:
        message = f"uuid is {show(row.uuid)}, which is no UUID"
        found.append(Problem("InvalidUuid", message, "uuid"))
    return uuid


def _check_data_row(name: RowName | None, found: list[Problem]) -> None:
    if name is None:
        message = "dataRow is missing: it holds the id or the globalKey of a data row"
        found.append(Problem("MissingField", message, "dataRow"))
    elif (name.id is None) == (name.global_key is None):
        given = "neither" if name.id is None else "both"
        message = f"dataRow needs either an id or a globalKey; it has {given}"
        found.append(Problem("WrongDataRow", message, "dataRow"))
    elif not (name.id or name.global_key):
        message = "dataRow holds an empty name"
        found.append(Problem("WrongDataRow", message, "dataRow"))


def _no_single_form(forms: list[Form], line: bytes) -> Problem:
    if forms:
        fields = " and ".join(form.field for form in forms)
        message = f"the row has {fields}; a row is one annotation"
        return Problem("SeveralAnnotations", message)
    for name in unknown_fields(line):
        if near := hint(name, _FIELDS):
            message = f"the row is nothing: {show(name)} is no field{near}"
            return Problem("NoAnnotation", message)
    message = f"the row is nothing: it has none of {', '.join(_FIELDS)}"
    return Problem("NoAnnotation", message)


def _metric(row: Row, uuid: str | None) -> Metric:
    aggregation = aggregation_of(row)
    assert row.data_row
    assert aggregation
    assert row.metric_value is not None
    return Metric(
        row=row.data_row,
        key=key_of(row),
        aggregation=aggregation,
        value=row.metric_value,
        uuid=uuid,
    )


def _ends(relation: Relation) -> Ends:
    target = read_uuid(relation.target)
    assert target
    return Ends(read_uuid(relation.source) if relation.source else None, target)
