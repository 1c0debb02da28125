/// How long a step takes, from the last ones. Their median says it: where a process was stopped or the machine slept, one step took hours,
/// and before a training was resumed, it may have run on another machine.
struct StepTimes {
    /// Enough that validations, other programs and pictures of several sizes even out.
    private static let greatestCount = 101
    private var seconds: [Double] = []

    mutating func append(_ time: Double) {
        if seconds.count == Self.greatestCount { seconds.removeFirst() }
        seconds.append(time)
    }

    /// The median in seconds; 0 before the first step.
    var median: Double { seconds.isEmpty ? 0 : seconds.sorted()[seconds.count / 2] }
}
