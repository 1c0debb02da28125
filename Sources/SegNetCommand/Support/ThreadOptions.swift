import ArgumentParser
import SegNetToolkit

/// How many threads a command uses.
struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Number of threads. (default: all cores)", valueName: "count"))
    var threads: Int?

    /// More threads than this are a typing error; the pool would start them all.
    private static let most = 1024

    /// The threads that a run uses.
    var count: Int { threads ?? ThreadPool.availableCores }

    func validate() throws {
        guard let threads, !(1...Self.most).contains(threads) else { return }
        throw ValidationError("Please give '--threads' a number in 1...\(Self.most); found \(threads).")
    }
}
