import SegNetCPU
import SegNetPlatform

/// Ranks that are threads of this process: what MPI does between processes, for tests.
final class LocalRanks: Sendable {
    let count: Int
    private let gradients = Monitor(Meeting())
    private let control = Monitor(Meeting())
    /// For each rank, the call from which on it is gone; the others then fail as with MPI.
    let lost: (rank: Int, call: Int)?

    private struct Meeting {
        var parts: [Int: [Double]] = [:]
        var result: [Double]?
        var taken = 0
        var calls = 0
        var isBroken = false
    }

    init(_ count: Int, lost: (rank: Int, call: Int)? = nil) {
        self.count = count
        self.lost = lost
    }

    /// Runs `body` once for each rank, at the same time.
    func run<T: Sendable>(_ body: @escaping @Sendable (any RankGroup) throws -> T) -> [Result<T, any Error>] {
        let results = Monitor<[Int: Result<T, any Error>]>([:])
        for rank in 0..<count {
            let isStarted = startThread {
                let result = Result { try body(Rank(rank, of: self)) }
                results.withLock { $0[rank] = result }
            }
            precondition(isStarted)
        }
        return results.wait { found in
            found.count == self.count ? found.sorted { $0.key < $1.key }.map(\.value) : nil
        }
    }

    /// Waits for all ranks.
    /// - Returns: The sums, added up in the order of the ranks; with `isCopy`, rank 0's numbers.
    private func meet(
        _ place: Monitor<Meeting>,
        _ rank: Int,
        _ numbers: [Double],
        isCopy: Bool = false
    ) throws(RankGroupError) -> [Double] {
        if place.wait(for: { meeting -> Bool? in
            if meeting.isBroken { return true }
            guard meeting.result == nil, meeting.parts[rank] == nil else { return nil }
            meeting.calls += 1
            if let lost = self.lost, lost.rank == rank, meeting.calls / self.count >= lost.call {
                meeting.isBroken = true
            }
            meeting.parts[rank] = numbers
            if meeting.parts.count == self.count {
                var sum = meeting.parts[0] ?? []
                if !isCopy {
                    for other in 1..<max(1, self.count) {
                        for (index, number) in (meeting.parts[other] ?? []).enumerated() { sum[index] += number }
                    }
                }
                meeting.result = sum
            }
            return meeting.isBroken
        }) {
            throw RankGroupError("lost.")
        }
        let result = place.wait { meeting -> [Double]?? in
            guard let result = meeting.result else { return meeting.isBroken ? .some(nil) : nil }
            meeting.taken += 1
            if meeting.taken == self.count { (meeting.result, meeting.parts, meeting.taken) = (nil, [:], 0) }
            return result
        }
        guard let result else { throw RankGroupError("lost.") }
        return result
    }

    private final class Rank: RankGroup {
        let rank: Int
        let all: LocalRanks
        var count: Int { all.count }

        init(_ rank: Int, of all: LocalRanks) { (self.rank, self.all) = (rank, all) }

        func sum(_ gradients: inout MutableSpan<Float>) throws(RankGroupError) {
            let own = gradients.indices.map { Double(gradients[$0]) }
            for (index, number) in try all.meet(all.gradients, rank, own).enumerated() {
                gradients[index] = Float(number)
            }
        }

        func sum(_ numbers: inout [Double]) throws(RankGroupError) {
            numbers = try all.meet(all.control, rank, numbers)
        }

        func broadcast(_ bytes: inout [UInt8]) throws(RankGroupError) {
            bytes = try all.meet(all.control, rank, bytes.map(Double.init), isCopy: true).map { UInt8($0) }
        }
    }
}
