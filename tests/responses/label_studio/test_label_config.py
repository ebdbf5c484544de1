import pytest

from consilience.errors import SourceError
from consilience.responses.side_tables import read_label_config

BOMB = """<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<View><Choice value="&b;"/></View>"""
OUTSIDE = """<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<View><Choice value="x"/>&a;</View>"""


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, "<View>", "", "{}", "<View/>"])
def test_entities_and_broken_configurations_are_refused(written, text):
    with pytest.raises(SourceError, match=r"config\.xml"):
        read_label_config(written("config.xml", text))


def test_choices_and_region_labels_are_read_in_order(written):
    path = written(
        "config.xml",
        '<View><RectangleLabels name="b"><Label value="z"/><Label value="a"/>'
        '</RectangleLabels><Choices name="q"><Choice value="m"/></Choices></View>',
    )
    assert read_label_config(path) == ["z", "a", "m"]
    assert read_label_config(path, "q") == ["m"]
