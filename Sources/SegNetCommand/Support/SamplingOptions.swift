import ArgumentParser

/// Monte-Carlo samples of a network with dropout.
struct SamplingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For a network with dropout: take the mean of this many Monte-Carlo samples. (default: none)",
            valueName: "count"
        )
    )
    var samples: Int?

    @Option(
        help: ArgumentHelp(
            "Seed of the samples; the same seed gives the same results. (default: 0)",
            valueName: "number"
        ),
        transform: wholeNumber
    )
    var seed: UInt64?

    func validate() throws {
        if let samples, !(1...100_000).contains(samples) {
            throw ValidationError("Please give '--samples' a number in 1...100000; found \(samples).")
        }
        if samples == nil, seed != nil { throw ValidationError("Please give '--seed' only with '--samples'.") }
    }
}
