"""Which model of objects is fitted unasked, and what is said of it."""

from dataclasses import replace

import consilience as cs
from consilience.fitting.objects import WITH_IDS


def reason(responses, **settings):
    attributes = cs.fit(responses, **settings).data.attrs
    assert attributes["model"] == "objects"
    return attributes["engine_reason"]


def test_auto_says_which_model_has_the_styles_of_annotators():
    study = cs.simulate(kind="objects", items=6, annotators=4, classes=6, per_item=3)
    responses = study.responses
    table = responses.table
    nobody = table["annotator"].where(table["annotator"].isna())
    anonymous = replace(responses, table=table.assign(annotator=nobody))
    assert reason(responses).startswith(WITH_IDS)
    assert WITH_IDS not in reason(responses, model="objects")
    assert WITH_IDS not in reason(anonymous)
