import SegNetFuzzing
import SegNetPlatform

/// Gives files to children in batches, watches the clock, and counts.
///
/// A child that dies or is too slow costs only the file it was at: another child continues after it.
struct Supervisor {
    let campaign: FuzzCampaign
    let folder: URL
    let count: Int
    let jobs: Int
    /// Seconds for one file.
    let timeLimit: Int
    /// MiB for a child.
    let memoryLimit: Int
    /// Passed on to the children.
    let misbehaviour: String?

    /// Small enough that what leaks in one batch stays small, large enough that starting children costs little.
    private static let batch = 250

    private struct Task {
        let child: Child
        let last: Int
        /// The file that the child is reading, and the first that it has not begun.
        var current: Int?
        var next: Int
        var deadline: ContinuousClock.Instant
        var text: [UInt8] = []
    }

    private struct Failure {
        let index: Int
        let reason: String
    }

    /// Runs the campaign and prints the result.
    /// - Returns: How many files failed.
    func run() throws -> Int {
        var waiting = stride(from: 0, to: count, by: Self.batch).map { $0...min(count, $0 + Self.batch) - 1 }
            .reversed().map { $0 }
        var tasks: [Task] = []
        var counts = StageCounts()
        var failures: [Failure] = []
        var peak = 0
        let start = ContinuousClock.now

        while !waiting.isEmpty || !tasks.isEmpty {
            while tasks.count < jobs, let range = waiting.popLast() {
                tasks.append(try begin(range))
            }
            var descriptors = tasks.map { pollfd(fd: $0.child.output, events: Int16(POLLIN), revents: 0) }
            poll(&descriptors, nfds_t(descriptors.count), 200)
            for (place, descriptor) in descriptors.enumerated().reversed() {
                var isAtEnd = false
                if descriptor.revents != 0 {
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    let received = read(tasks[place].child.output, &buffer, buffer.count)
                    isAtEnd = received <= 0
                    if received > 0 {
                        tasks[place].text += buffer[..<received]
                        follow(&tasks[place], &counts, &failures, &peak)
                    }
                }
                let isLate = ContinuousClock.now > tasks[place].deadline
                guard isAtEnd || isLate else { continue }
                if isLate { kill(tasks[place].child.process, SIGKILL) }
                let task = tasks.remove(at: place)
                let ending = task.child.finish()
                // A child that died could not clean up.
                try? FileManager.default.removeItem(at: folder.appending(path: "work-\(task.child.process)"))
                if let current = task.current {
                    let reason = isLate ? "took longer than \(timeLimit) s" : ending ?? "the child ended in its midst"
                    failures.append(Failure(index: current, reason: reason))
                } else if task.next <= task.last, ending != nil || isLate {
                    throw SupervisorError(reason: "a child \(ending ?? "hung") before file \(task.next)")
                }
                if task.next <= task.last { waiting.append(task.next...task.last) }
            }
        }
        print(counts.table)
        let seconds = (ContinuousClock.now - start).components.seconds
        print("\(count) files in \(seconds) s, peak memory of a child \(peak >> 20) MiB, failures: \(failures.count)")
        try keep(failures)
        return failures.count
    }

    private func begin(_ range: ClosedRange<Int>) throws -> Task {
        var arguments = [
            "--first", "\(range.lowerBound)", "--last", "\(range.upperBound)", "--seed", "\(campaign.seed)",
            "--output", folder.path, "--memory-limit", "\(memoryLimit)",
        ]
        if let misbehaviour { arguments += ["--misbehave", misbehaviour] }
        guard let child = Child(arguments: arguments) else {
            throw SupervisorError(reason: "the system cannot start another process")
        }
        return Task(child: child, last: range.upperBound, next: range.lowerBound, deadline: deadline)
    }

    private var deadline: ContinuousClock.Instant { .now + .seconds(timeLimit) }

    /// Takes whole lines from the child's output.
    private func follow(_ task: inout Task, _ counts: inout StageCounts, _ failures: inout [Failure], _ peak: inout Int)
    {
        while let end = task.text.firstIndex(of: 10) {
            let words = String(decoding: task.text[..<end], as: UTF8.self).split(separator: " ")
            task.text.removeSubrange(...end)
            let numbers = words.dropFirst().compactMap { Int($0) }
            task.deadline = deadline
            if words.first == "start", let index = numbers.first {
                task.current = index
                task.next = index + 1
            } else if words.first == "end", numbers.count == 4, let stage = Stage(rawValue: numbers[1]),
                let turn = campaign.turn(at: numbers[0])
            {
                task.current = nil
                counts.count(turn.format, turn.kind, reached: stage)
                peak = max(peak, numbers[2])
                if numbers[2] > memoryLimit << 20 {
                    failures.append(Failure(index: numbers[0], reason: "took \(numbers[2] >> 20) MiB"))
                } else if numbers[3] == 0 {
                    failures.append(Failure(index: numbers[0], reason: "its error does not name the file"))
                }
            }
        }
    }

    /// Prints what failed, and keeps the files.
    private func keep(_ failures: [Failure]) throws {
        guard !failures.isEmpty else { return }
        let kept = folder.appending(path: "failures-seed\(campaign.seed)")
        try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: true)
        for failure in failures {
            guard let file = campaign.file(at: failure.index) else { continue }
            print("FAILED \(file.name), made from \(file.origin): \(failure.reason)")
            try Data(file.bytes).write(to: kept.appending(path: file.name))
        }
        print("kept in \(kept.relativePath); to read one again: --seed \(campaign.seed) --show \(failures[0].index)")
    }
}

/// The campaign itself could not continue.
struct SupervisorError: Error, CustomStringConvertible {
    let reason: String

    var description: String { "the fuzzing could not go on: \(reason)." }
}
