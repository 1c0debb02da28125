"""The model as it stands, in a network of its own: averaged weights, statistics, scores on the validation pictures."""

import torch

from . import arithmetic, loss, scores, statistics
from .network import Network

VALIDATION_STATISTICS_PICTURES = 60


class Judge:
    def __init__(self, description, pool, reading, processes, batch_size):
        self.network = Network(description).to(processes.device)
        self.pool, self.reading, self.processes, self.batch_size = pool, reading, processes, batch_size

    def load(self, network, average):
        """Averaged weights where there are some, and the statistics known so far."""
        self.network.load({name: tensor.detach() for name, tensor in network.tensors().items()})
        if average:
            self.network.load(average.values)
        self.network.learn(False)

    def take_statistics(self, place, rule="exact", number=None, progress=lambda done, total: None):
        """Over all training pictures, or about `number`, by the shares that the data sets have at a place of the training."""
        with arithmetic.exact():
            statistics.take(
                self.network, self.pool.representatives(number, place), statistics.batch_size(self.batch_size, rule),
                read_ahead=self.reading.examples, to_batch=self.reading.whole, processes=self.processes, rule=rule, progress=progress)

    @torch.no_grad()
    def score(self, pictures):
        """Confusion matrix over (source, sample), each at its own size."""
        count = self.network.class_count
        matrix = torch.zeros(count, count, dtype=torch.int64, device=self.processes.device)
        with arithmetic.exact():
            for example in self.reading.examples(self.processes.mine(pictures)):
                given = loss.predictions(self.network(self.reading.whole([example])))
                labels = torch.from_numpy(example.labels).to(matrix.device).long()[None]
                matrix += scores.confusion(labels, given, count)
        return self.processes.sum(matrix)

    def arrays(self):
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.network.tensors().items()}
