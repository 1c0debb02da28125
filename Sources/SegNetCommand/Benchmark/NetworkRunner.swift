import SegNetCPU
import SegNetToolkit

/// A network with random weights and a picture, ready to run again and again.
final class NetworkRunner {
    let prepared: PreparedNetwork
    let plan: InferencePlan
    private let workspace: Workspace
    private let picture: Image
    private let clock = ContinuousClock()

    static func prepare(_ network: Network, _ options: InferenceOptions) throws -> PreparedNetwork {
        try PreparedNetwork(
            network,
            weights: try Weights.initial(for: network, seed: 1),
            options: options,
            file: "random weights"
        )
    }

    /// - Parameter picture: Has three channels; the network runs at its size.
    init(_ prepared: PreparedNetwork, threads: Int, _ picture: Image, bands: BandPolicy = .automatic) throws {
        self.prepared = prepared
        self.picture = picture
        plan = try prepared.plan(height: picture.height, width: picture.width, threads: threads, bands: bands)
        workspace = try Workspace(for: plan, threads: threads)
    }

    /// Runs once.
    /// - Parameter observe: Gets the milliseconds of each step.
    /// - Returns: The milliseconds of the whole.
    func run(observe: ((String, Double) -> Void)? = nil) -> Double {
        // Again for each run, which uses the input's memory for other maps.
        workspace.fillInput(InputPicture(bytes: picture.pixels, pixelBytes: 3), order: InputOrder(bytes: [2, 1, 0]))
        let start = clock.now
        guard let observe else {
            plan.run(in: workspace)
            return (clock.now - start).inMilliseconds
        }
        var last = start
        plan.run(in: workspace) { [clock] name in
            let now = clock.now
            observe(name, (now - last).inMilliseconds)
            last = clock.now
        }
        return (clock.now - start).inMilliseconds
    }
}
