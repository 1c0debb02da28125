import CSegNetKernels
import SegNetData
import SegNetEvaluation
import SegNetGraph
import SegNetNetworks
import SegNetPlatform

@testable import SegNetCPU
@testable import SegNetTraining

// What tests look at and trainings do not.

extension Learner {
    /// The input's floats of one pixel, in the network's channel order.
    func inputValues(picture: Int, pixel: Int) -> [Float] {
        let thin = run(shared: 0).thin(.input, picture: picture)
        return (0..<thin.channels).compactMap { thin.data?[pixel * thin.channels + $0] }
    }

    /// The scores of one picture, planar [K][H][W].
    func scores(picture: Int) -> [Float] { run(shared: 0).planar(plan.scores, picture: picture) }
}

extension Parameters {
    /// The gradients as tensors of the same names as the parameters.
    func gradientTensors() throws(NetworkError) -> Weights { try tensors(of: gradients.floats()) }
}

extension Trainer {
    /// Runs a model over samples and counts.
    static func score(
        _ model: Model,
        _ dataset: Dataset,
        _ samples: [Sample],
        options: InferenceOptions,
        threads: Int
    ) throws -> ConfusionMatrix {
        try score(model, dataset, count: samples.count, options: options, threads: threads) {
            try dataset.example(samples[$0])
        }
    }
}
