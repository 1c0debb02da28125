package import SegNetCPU
package import SegNetImages
package import SegNetNetworks
internal import SegNetPlatform

/// A network and a picture, ready to run again and again: for measuring.
package final class NetworkRunner {
    package let plan: InferencePlan
    private let workspace: Workspace
    private let input: NetworkInput
    private let pixels: NetworkInput.Pixels
    private let clock = ContinuousClock()

    /// A network with random weights.
    package static func prepare(_ network: Network, _ options: InferenceOptions) throws -> PreparedNetwork {
        try PreparedNetwork(
            network,
            weights: try Weights.initial(for: network, seed: 1),
            options: options,
            file: "random weights"
        )
    }

    /// - Parameter picture: With the channels that the network reads; the network runs at its size.
    package init(
        _ prepared: PreparedNetwork,
        threads: Int,
        _ picture: MultichannelImage,
        bands: BandPolicy = .automatic
    ) throws {
        input = NetworkInput(prepared.network)
        pixels = try input.pixels(of: picture, width: picture.width, height: picture.height)
        plan = try prepared.plan(height: picture.height, width: picture.width, threads: threads, bands: bands)
        workspace = try Workspace(for: plan, threads: threads)
    }

    /// Runs once.
    /// - Parameter observe: Gets the milliseconds of each step.
    /// - Returns: The milliseconds of the whole.
    package func run(observe: ((String, Double) -> Void)? = nil) -> Double {
        // Again for each run, which uses the input's memory for other maps.
        input.fill(workspace, with: pixels)
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
