"""Of contains, an item's row names the labels that are more likely there than not."""

import consilience as cs


def test_the_set_of_an_item_is_that_of_its_labels(tmp_path):
    made = cs.simulate(kind="contains", items=40, annotators=6, classes=4, seed=0)
    fit = cs.fit(made.responses, model="contains_states", engine="em")
    there = fit.labels().query("probability >= 0.5")
    order = there.sort_values("probability", ascending=False, kind="stable")
    wanted = order.groupby("item")["label"].agg(", ".join)
    items = fit.items().set_index("item")["present"]
    assert items.equals(wanted.reindex(items.index).fillna("").astype("str"))
    assert {"", *made.responses.labels["label"]} & {*items}
    fit.save(tmp_path / "run")
    assert cs.load(tmp_path / "run").items()["present"].tolist() == items.tolist()
    plain = cs.simulate(items=9, annotators=6, classes=3, seed=0).responses
    choice = cs.fit(plain, model="majority")
    assert "present" not in choice.items()
