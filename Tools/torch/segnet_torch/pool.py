"""Data sets that a network learns from together, and which picture comes when (Sources/SegNetData/DatasetPool.swift)."""

from dataclasses import dataclass, field, replace

from .datasets import Dataset
from .errors import UserError, hint
from .random_numbers import MASK, RandomNumbers


@dataclass
class Source:
    """One of the data sets."""

    dataset: Dataset
    samples: list  # the pictures to learn from
    share: float = 1.0  # of a batch, relative to the other sources
    named: list = None  # the classes that its labels can name, where these are some only


@dataclass
class Phase:
    """Other shares from a place of the training on."""

    start: int  # pictures before it
    shares: list


@dataclass
class Pool:
    sources: list
    phases: list = field(default_factory=list)

    @property
    def count(self):
        return sum(len(source.samples) for source in self.sources)

    @property
    def name(self):
        return "+".join(source.dataset.name for source in self.sources)

    def shares(self, place):
        """What each source gives of the pictures around a place of the training; their sum is 1."""
        plain = self._normalized([source.share for source in self.sources])
        phase = next((phase for phase in reversed(self.phases) if phase.start <= place), None)
        shares = self._normalized(phase.shares) if phase else plain
        return shares if any(shares) else plain

    def ids(self, names):
        """The ids of classes."""
        dataset = self.sources[0].dataset
        for name in names:
            if dataset.table.id(name) is None:
                raise UserError(f"augmentation.paste-classes: there is no class '{name}'.{hint(name, dataset.classes)} The classes are {', '.join(dataset.classes)}.")
        return sorted({dataset.table.id(name) for name in names})

    def item(self, place, source, index):
        """(source, sample) by the shares around a place of the training; two numbers of [0, 1) choose the source and its picture."""
        rest, shares = source, self.shares(place)
        chosen = max(number for number, share in enumerate(shares) if share > 0)
        for number, share in enumerate(shares):
            if share > 0:
                if rest < share:
                    chosen = number
                    break
                rest -= share
        samples = self.sources[chosen].samples
        return chosen, samples[min(len(samples) - 1, int(index * len(samples)))]

    def shares_of_training(self, places):
        """What each source gives of all pictures of a training of so many."""
        places = max(1, places)
        starts = [0] + sorted(phase.start for phase in self.phases if 1 <= phase.start < places)
        sums = [0.0] * len(self.sources)
        for start, end in zip(starts, starts[1:] + [places]):
            for index, share in enumerate(self.shares(start)):
                sums[index] += share * (end - start)
        return self._normalized(sums)

    def _normalized(self, shares):
        usable = [share if share > 0 and source.samples else 0.0 for share, source in zip(shares, self.sources)]
        total = sum(usable)
        return [share / total if total > 0 else 0.0 for share in usable]

    def representatives(self, number, place):
        """(source, sample) of pictures that stand for what is learnt at a place, mixed as its batches are: those of a source are shuffled, and
        every stretch has each source by its share. About `number`, evenly chosen from each; None: as many as these sources hold together.

        A source whose share is larger than its part of the pictures gives some of them several times, another one only some. One source
        alone, and sources that count by their numbers of pictures, give each once.
        """
        chosen = []
        for source, share in zip(self.sources, self.shares(place)):
            wanted = len(source.samples) if number is None else max(1, int(number * share + 0.5))
            every = max(1, len(source.samples) // max(1, wanted))
            chosen.append(replace(source, share=share, samples=source.samples[::every] if share > 0 else []))
        pool = Pool(chosen)
        order = PoolOrder(pool, 0)
        pictures = (order[place] for place in range(pool.count))
        return [(source, chosen[source].samples[index]) for source, index in pictures]


class SampleOrder:
    """Shuffled passes over the samples of one source: a function of the seed and the place alone."""

    def __init__(self, count, seed):
        self.count, self.seed = max(1, count), seed
        self.epoch, self.order = None, None

    def __getitem__(self, place):
        epoch = place // self.count
        if epoch != self.epoch:
            self.epoch, self.order = epoch, RandomNumbers(self.seed, 2 * epoch).shuffled(self.count)
        return self.order[place % self.count]


class PoolOrder:
    """Which picture of which source comes at which place of the training; the order of the package's trainer.

    Each place goes to the source that is furthest behind its share since the phase began, the first of equal ones, so that every batch is
    mixed alike. Each source goes through its own passes, which go on where they were when its share changes.
    """

    def __init__(self, pool, seed):
        self.orders = [
            SampleOrder(len(source.samples), RandomNumbers(seed, MASK - index).next() if index else seed)
            for index, source in enumerate(pool.sources)]
        starts = [0] + sorted({max(0, phase.start) for phase in pool.phases} - {0})
        self.phases = [(start, pool.shares(start)) for start in starts]
        self.begin()

    def begin(self):
        self.place = 0
        self.taken = [0] * len(self.orders)
        self.dealt = [0] * len(self.orders)

    def __getitem__(self, wanted):
        """(source, number of its sample). Ascending places take a moment each; going back begins anew."""
        if wanted < self.place:
            self.begin()
        while self.place < wanted:
            self._advance(wanted)
        source = self._next()
        return source, self.orders[source][self.taken[source]]

    def _phase(self):
        return max(index for index, (start, _) in enumerate(self.phases) if start <= self.place)

    def _next(self):
        start, shares = self.phases[self._phase()]
        done = self.place - start + 1
        behind = [share * done - dealt if share > 0 else float("-inf") for share, dealt in zip(shares, self.dealt)]
        return behind.index(max(behind))

    def _advance(self, wanted):
        """By one place, or, where one source alone has a share, as far as the phase goes."""
        phase = self._phase()
        end = self.phases[phase + 1][0] if phase + 1 < len(self.phases) else float("inf")
        source = self._next()
        is_alone = sum(share > 0 for share in self.phases[phase][1]) == 1
        count = min(wanted, end) - self.place if is_alone else 1
        self.taken[source] += count
        self.dealt[source] += count
        self.place += count
        if self.place == end:
            self.dealt = [0] * len(self.dealt)


def augmentation_numbers(seed, place):
    """The random numbers with which the example at a place is changed."""
    return RandomNumbers(seed, 2 * place + 1)
