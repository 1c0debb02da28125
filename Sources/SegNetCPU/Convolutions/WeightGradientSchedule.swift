import CSegNetKernels
import SegNetPlatform

/// How the gradient of a convolution's weights is computed: which thread sums what, in which order. Adds to the gradient, which lies as the
/// packed weights do. Each number is summed by one thread at a time in a fixed order, so results do not depend on the number of threads.
protocol WeightGradientSchedule: Sendable {
    var sharedBytes: Int { get }
    var threadBytes: Int { get }

    /// - Parameters:
    ///   - pictures: The maps that the convolution read.
    ///   - gradients: Gradients of what it wrote.
    func run(
        _ pictures: [ConvolutionPicture],
        gradients: [sn_map],
        into packed: UnsafeMutablePointer<Float>,
        on crew: Crew
    )
}

extension ConvolutionGeometry {
    func weightGradient(kernels: sn_kernels) -> any WeightGradientSchedule {
        switch plan.algorithm {
        case .winograd(let variant): WinogradWeightGradient(self, variant: variant, kernels: kernels)
        case .gather, .gatherThin: GatherWeightGradient(self, kernels: kernels)
        case .depthwise: DepthwiseWeightGradient(geometry: self)
        }
    }
}
