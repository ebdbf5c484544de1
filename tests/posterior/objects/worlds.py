"""Worlds drawn from the model of objects, step by step as it is written.

Nothing is shared with the package but the definition of the model. Worlds in which the
answers come out as those given are draws from the posterior, whatever they are asked;
the probabilities of partitions are enumerated besides, over all that is not drawn from
a Beta or Dirichlet distribution.
"""

import itertools
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import betaln

PARENTS = "ppq"  # labels of one parent are kin
BATCH = 40_000  # worlds at once
MANY = 101  # annotators: as good as ever more


def sigmoid(odds):
    return 1 / (1 + np.exp(-odds))


def beta_weights(mean, spread):
    return np.exp(spread) * sigmoid(mean), np.exp(spread) * sigmoid(-mean)


def partitions_of(labels):
    """Return the object of each label in every partition, objects in order."""
    every = list(itertools.product(range(labels), repeat=labels))
    codes = [np.unique(each, return_index=True) for each in every]
    first = [(np.diff(at) > 0).all() and code[-1] < len(code) for code, at in codes]
    return np.array(every)[first]


class Study:
    """What the parameters say of an item of so many candidates."""

    def __init__(self, labels, own, value):
        self.partitions = partitions_of(labels)
        is_own = np.arange(labels) == own
        self.votes, self.names = (
            np.exp(value[name][0]) + is_own * np.exp(value[name][1])
            for name in ("salience", "naming")
        )
        low, gap = value["detection"]
        self.rates = sigmoid(np.array([low, low + np.exp(gap)]))
        self.duplicate = np.stack(beta_weights(*value["duplicate_name"].T), axis=1)
        self.single = beta_weights(*value["single_label"])
        # Of each object of each partition: P(high detection) and P(synonyms).
        self.high, self.alike = np.zeros((2, len(self.partitions), labels))
        log_prior = np.zeros(len(self.partitions))
        for place, objects in enumerate(self.partitions):
            for block in range(max(objects) + 1):
                inside = np.flatnonzero(objects == block)
                pairs = list(itertools.combinations(inside, 2))
                kin = sum(PARENTS[one] == PARENTS[other] for one, other in pairs)
                common = np.array([len(pairs), kin])
                log_prior[place] += value["objects"][0] + common @ value["affinity"]
                odds = value["high_detection"] @ [1, own in inside]
                self.high[place, block] = sigmoid(odds)
                if pairs:
                    odds = common @ value["synonyms"] / len(pairs)
                    self.alike[place, block] = sigmoid(odds)
        self.prior = np.exp(log_prior)
        self.prior /= self.prior.sum()


@dataclass
class Worlds:
    """Worlds along the first axis of all; objects are in order of their first label."""

    which: np.ndarray  # partition
    object_of: np.ndarray
    salience: np.ndarray
    share: np.ndarray
    rate: np.ndarray
    alike: np.ndarray
    duplicate: np.ndarray
    single: np.ndarray

    def __getitem__(self, rows):
        return Worlds(*(getattr(self, each.name)[rows] for each in fields(self)))

    @property
    def inside(self):
        """Worlds x objects x labels."""
        return self.object_of[:, None] == np.arange(self.share.shape[1])[:, None]

    def of_label(self, values):
        return np.take_along_axis(values, self.object_of, axis=1)

    @property
    def highest(self):
        return self.of_label((self.inside * self.share[:, None]).max(2))

    @property
    def main(self):
        return self.of_label(self.salience) * self.share

    @property
    def frequency(self):
        listed = (1 - self.salience) * (1 - self.single[:, None]) * self.rate
        return np.where(self.inside.any(2), self.salience + listed, 0.0)

    def answer(self, generator):
        """Return main label and all labels named of one annotator in each world."""
        worlds, labels = self.share.shape
        inside = self.inside

        def pick(weight):
            ladder = weight.cumsum(-1)
            step = generator.random((*weight.shape[:-1], 1)) * ladder[..., -1:]
            return (step >= ladder).sum(-1).clip(max=labels - 1)

        chosen = pick(self.salience)
        name = pick(inside * self.share[:, None])  # of each object
        main = name[np.arange(worlds), chosen]
        chance = generator.beta(self.duplicate[..., 0], self.duplicate[..., 1])
        is_name = np.arange(labels) == name[..., None]
        others = inside & ~is_name
        more = others & (generator.random(others.shape) < chance[..., None])
        # Of an object that is not the main one, several names are any of its names.
        order = (
            np.where(inside, generator.random(inside.shape), 2).argsort(2).argsort(2)
        )
        number = more.sum(2, keepdims=True)
        several = np.where(number > 0, order <= number, is_name) & inside
        detected = (generator.random(chance.shape) < self.rate) & inside.any(2)
        is_main = (np.arange(labels) == chosen[:, None])[..., None]
        named = np.where(is_main, more | is_name, several & detected[..., None]).any(1)
        alone = generator.random((worlds, 1)) < self.single[:, None]
        named = np.where(alone, np.arange(labels) == main[:, None], named)
        return main, named @ (1 << np.arange(labels))


def drawn(labels, own, value, number, generator):
    """Return worlds from the prior."""
    study = Study(labels, own, value)
    which = generator.choice(len(study.prior), number, p=study.prior)
    object_of = study.partitions[which]
    inside = object_of[:, None] == np.arange(labels)[:, None]
    salience = generator.standard_gamma(inside @ study.votes)
    names = generator.standard_gamma(np.broadcast_to(study.names, object_of.shape))
    total = (inside * names[:, None]).sum(2)
    high = generator.random(salience.shape) < study.high[which]
    alike = generator.random(salience.shape) < study.alike[which]
    return Worlds(
        which=which,
        object_of=object_of,
        salience=salience / salience.sum(1, keepdims=True),
        share=names / np.take_along_axis(total, object_of, axis=1),
        rate=study.rates[high.astype(int)],
        alike=alike,
        duplicate=study.duplicate[alike.astype(int)],
        single=generator.beta(*study.single, number),
    )


def accepted(item, value, number, generator):
    """Return so many worlds in which the answers come out as given."""
    labels, own, answers = item
    given = np.sort([main * 8 + mask for main, mask in answers])
    batches, total = [], 0
    while total < number:
        worlds = drawn(labels, own, value, BATCH, generator)
        codes = np.zeros((0, BATCH), int)
        for _ in answers:
            main, mask = worlds.answer(generator)
            codes = np.vstack([codes, main * 8 + mask])
            possible = np.isin(codes[-1], given)
            worlds, codes = worlds[possible], codes[:, possible]
        # Answers in another order are as probable.
        batches.append(worlds[(np.sort(codes, axis=0) == given[:, None]).all(0)])
        total += len(batches[-1].which)
    return joined(batches)[:number]


def joined(batches):
    columns = [[getattr(one, each.name) for one in batches] for each in fields(Worlds)]
    return Worlds(*map(np.concatenate, columns))


def urn(study, objects, rates, alike, lists, answers):
    """Return P(answers) of a world, salience and names summed out one by one."""
    votes, names = study.votes.copy(), study.names.copy()
    chance, styles = 1.0, np.array(study.single)
    for (main, mask), exhaustive in zip(answers, lists, strict=True):
        chance *= styles[exhaustive] / styles.sum()
        styles[exhaustive] += 1
        for block in range(max(objects) + 1):
            inside = objects == block
            named = [j for j in np.flatnonzero(inside) if mask >> j & 1]
            more, size = len(named) - 1, inside.sum()
            is_main = objects[main] == block
            if is_main:
                chance *= votes[inside].sum() / votes.sum()
                chance *= names[main] / names[inside].sum()
            elif exhaustive:
                chance *= rates[block] if named else 1 - rates[block]
            if not exhaustive:
                chance *= len(named) == is_main
            elif named:
                yes, no = study.duplicate[alike[block]]
                grown = betaln(yes + more, no + size - 1 - more)
                chance *= np.exp(grown - betaln(yes, no))
                if more and not is_main:
                    chance *= len(named) / size
                elif not is_main:
                    chance *= names[named[0]] / names[inside].sum()
                    names[named[0]] += 1
        votes[main] += 1
        names[main] += 1
    return chance


def summed(item, value):
    """Return P(partition | answers)."""
    labels, own, answers = item
    study = Study(labels, own, value)
    partition = np.zeros(len(study.prior))
    for place, objects in enumerate(study.partitions):
        blocks, styles = [max(objects) + 1] * 2, [len(answers)]
        for bits in itertools.product((0, 1), repeat=sum(blocks + styles)):
            high, alike, lists = np.split(bits, np.cumsum(blocks))
            chance = study.prior[place]
            for kinds, probability in ((high, study.high), (alike, study.alike)):
                yes = probability[place, : len(kinds)]
                chance *= np.prod(np.where(kinds, yes, 1 - yes))
            if chance > 0:
                rates = study.rates[high]
                chance *= urn(study, objects, rates, alike, lists, answers)
            partition[place] += chance
    return partition / partition.sum()


def enumerated(item, values):
    """Return P(partition), averaged over values of the parameters."""
    return np.mean([summed(item, value) for value in values], axis=0)


def one_hot(code, number):
    return (np.asarray(code)[..., None] == np.arange(number)).astype(float)


def entropy(share, weight):
    return -(weight * np.log(np.where(share > 0, share, 1.0))).sum(-1)


def is_valid(worlds, item, tau, generator):
    """Draw whether each label is valid, as the rule is written."""
    labels, own, answers = item
    votes = np.array([sum(mask >> j & 1 for _, mask in answers) for j in range(labels)])
    is_own = np.arange(labels) == own
    f, w = worlds.of_label(worlds.frequency), worlds.share
    against = len(answers) - votes + (is_own | (labels == 1))
    u = generator.beta(votes + f * w, against + 1 - f * w)
    ratio = w / worlds.highest
    ratio = np.where(worlds.of_label(worlds.alike), np.sqrt(ratio), ratio)
    q = np.sqrt(u * f * ratio).clip(0, 1 - 1e-9)
    odds = (q / (1 - q)) ** np.where(is_own, 0.5, 1.0) * (1 - tau) / tau
    odds *= np.where(is_own, 2.0, 0.5) if own >= 0 else 1.0
    return (f > tau) & (generator.random(f.shape) < odds / (1 + odds))


def panels(worlds, item, sizes, completed, generator):
    """Draw what panels find: of new annotators, and of those who answered as well.

    Of panels of these sizes, and last of ever more annotators.
    """
    labels, own, answers = item
    main, mask = np.array(answers).T
    each = [worlds.answer(generator) for _ in range(MANY)]
    new_main, new_mask = (np.stack(codes) for codes in zip(*each, strict=True))
    missing = np.maximum(np.array(completed) - len(answers), 0)

    def most(votes):
        """Return what most say; of those that tie, one at random."""
        return (votes + generator.random(votes.shape)).argmax(-1)

    def by_size(before, after, ever=None):
        given = one_hot(before, labels).sum(0)
        votes = one_hot(after, labels).cumsum(0)
        votes = np.concatenate([np.zeros_like(votes[:1]), votes])
        ever = most(votes[-1]) if ever is None else ever
        each = votes[list(sizes)], given + votes[missing]
        return [np.stack([*most(panel), ever], axis=1) for panel in each]

    number, number_of_all = by_size(
        *(np.bitwise_count(named).astype(int) - 1 for named in (mask, new_mask))
    )
    label, label_of_all = by_size(main, new_main, worlds.main.argmax(1))
    return {
        "several": number > 0,
        "judged_several of all": number_of_all > 0,
        "differs": label != own if own >= 0 else np.full(label.shape, np.nan),
        "differs of all": label_of_all != own,
    }


def least_loss(item, values):
    """Return the partition of least expected loss, by pairs and by information."""

    def bits(*codes):
        share = np.unique(codes, axis=1, return_counts=True)[1] / item[0]
        return entropy(share, share)

    def binder(one, other):
        return ((one[:, None] == one) != (other[:, None] == other)).sum()

    def information(one, other):
        return 2 * bits(one, other) - bits(one) - bits(other)

    every, chance = partitions_of(item[0]), enumerated(item, values)
    return [
        np.argmin([[loss(one, other) for other in every] @ chance for one in every])
        for loss in (binder, information)
    ]
