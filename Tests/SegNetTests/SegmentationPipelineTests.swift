import Foundation
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Many pictures through one segmenter")
struct SegmentationPipelineTests {
    private func segmenter(threads: Int = 2) throws -> Segmenter {
        try Segmenter(
            LoadedModel(try smallModel(height: 24, width: 32), name: "small"),
            options: Segmenter.Options(threads: threads)
        )
    }

    private struct Failure: Error, Equatable { var number: Int }

    @Test("gives results in the order of the sources, and each error to its source", arguments: [1, 2])
    func order(threads: Int) async throws {
        let segmenter = try segmenter(threads: threads)
        let images = try (0..<9).map { try noise(width: 20 + $0, height: 14, seed: UInt64($0)) }
        let pipeline = SegmentationPipeline(segmenter) { (number: Int, request) in
            // Earlier ones take longer.
            usleep(UInt32(9 - number) * 2000)
            if number % 4 == 3 { throw Failure(number: number) }
            return try segmenter.segment(images[number], request).classes
        }
        let alone = try images.map { try segmenter.segment($0).classes }
        var seen: [Int] = []
        func check(_ number: Int, _ result: Result<LabelMap, any Error>) {
            seen.append(number)
            switch result {
            case .success(let classes): #expect(classes == alone[number] && number % 4 != 3)
            case .failure(let error): #expect(error as? Failure == Failure(number: number))
            }
        }
        Self.run(pipeline, Array(images.indices), check)
        #expect(seen == Array(images.indices))
        seen = []
        for try await (number, result) in pipeline.results(of: Array(images.indices)) { check(number, result) }
        #expect(seen == Array(images.indices))
    }

    /// Not in a task: blocks.
    private static func run<Output>(
        _ pipeline: SegmentationPipeline<Int, Output>,
        _ sources: [Int],
        _ body: (Int, Result<Output, any Error>) -> Void
    ) { pipeline.run(sources, each: body) }

    @Test("holds few pictures at once, however slow their taker is")
    func bounded() throws {
        let begun = Locked(0)
        let pipeline = SegmentationPipeline(try segmenter()) { (number: Int, _) in
            begun.withLock { $0 += 1 }
            return number
        }
        var taken = 0
        pipeline.run(Array(0..<40)) { _, _ in
            usleep(1000)
            #expect(begun.withLock { $0 } <= taken + 4)
            taken += 1
        }
        #expect(taken == 40)
    }

    @Test("calls at once are 1 to 1024, whatever number is given", arguments: [Int.max, 1024, 0, .min])
    func unlimited(concurrency: Int) throws {
        let segmenter = try Segmenter(
            LoadedModel(try smallModel(height: 24, width: 32), name: "small"),
            options: Segmenter.Options(threads: 1, maximumConcurrency: concurrency)
        )
        #expect(segmenter.workerCount == (concurrency > 0 ? 1024 : 1))
        let pipeline = SegmentationPipeline(segmenter) { (number: Int, _) in number }
        var taken: [Int] = []
        pipeline.run([0, 1, 2]) { number, _ in taken.append(number) }
        #expect(taken == [0, 1, 2])
    }

    @Test("what the taker throws ends it, and nothing goes on behind its back")
    func ends() throws {
        let begun = Locked(0)
        let pipeline = SegmentationPipeline(try segmenter()) { (_: Int, _) in begun.withLock { $0 += 1 } }
        #expect(throws: Failure(number: 2)) {
            try pipeline.run(Array(0..<1000)) { number, _ in if number == 2 { throw Failure(number: 2) } }
        }
        let count = begun.withLock { $0 }
        #expect(count < 8)
        usleep(20_000)
        #expect(begun.withLock { $0 } == count)
    }

    @Test("reads files and names the one that cannot be read")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pipeline-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = (0..<5).map { folder.appending(path: "\($0).png").path(percentEncoded: false) }
        for (number, file) in files.enumerated() where number != 2 {
            try noise(width: 40, height: 30, seed: UInt64(number)).write(path: file)
        }
        let segmenter = try segmenter()
        var count = 0
        for try await (file, result) in segmenter.segmentations(of: files) {
            #expect(file == files[count])
            if count == 2 {
                #expect(throws: ImageError.self) { try result.get() }
            } else {
                let expected = try await segmenter.segment(try Image(path: file))
                #expect(try result.get().classes == expected.classes)
            }
            count += 1
        }
        #expect(count == 5)
        // Asking for no more is allowed.
        for try await _ in segmenter.segmentations(of: files) { break }
    }
}

@Suite("Segmenter: async")
struct SegmenterAsyncTests {
    private func model() throws -> LoadedModel {
        LoadedModel(try smallModel(height: 240, width: 320), name: "small")
    }

    @Test("gives what the blocking form gives, and leaves the threads of tasks free")
    func free() async throws {
        let segmenter = try Segmenter(try model(), options: Segmenter.Options(threads: 1))
        let image = try noise(width: 40, height: 30)
        let expected = try Self.blocking(segmenter, image)
        let release = Locked(false)
        // More callers than Swift has threads for tasks, all of them waiting for this flag.
        let hold = Segmenter.Request(isCancelled: {
            while !release.withLock({ $0 }) { usleep(1000) }
            return false
        })
        try await withThrowingTaskGroup(of: Segmentation.self) { group in
            for _ in 0..<4 * ProcessInfo.processInfo.activeProcessorCount {
                group.addTask { try await segmenter.segment(image, hold) }
            }
            // Would not get its turn if they blocked.
            group.addTask {
                for _ in 0..<10 { try await Task.sleep(for: .milliseconds(1)) }
                release.withLock { $0 = true }
                return try await segmenter.segment(image)
            }
            for try await result in group { #expect(result.classes == expected) }
        }
    }

    private static func blocking(_ segmenter: Segmenter, _ image: Image) throws -> LabelMap {
        try segmenter.segment(image).classes
    }

    private static func next(_ count: Locked<Int>) -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }

    @Test("ends after a layer when its task is cancelled")
    func cancellation() async throws {
        let segmenter = try Segmenter(try model(), options: Segmenter.Options(threads: 1))
        let image = try noise(width: 40, height: 30)
        let layers = Locked(0)
        let isCancelled = Locked(false)
        let task = Task {
            try await segmenter.segment(
                image,
                Segmenter.Request(isCancelled: {
                    let layer = Self.next(layers)
                    while layer == 3, !isCancelled.withLock({ $0 }) { usleep(1000) }
                    return false
                })
            )
        }
        while layers.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        isCancelled.withLock { $0 = true }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(layers.withLock { $0 } == 3)
        _ = try await segmenter.segment(image)
    }

    @Test("ends when its task is cancelled while it waits for another call")
    func cancelledWait() async throws {
        let segmenter = try Segmenter(try model(), options: Segmenter.Options(threads: 1))
        let image = try noise(width: 40, height: 30)
        let (asked, isBegun, isReleased) = (Locked(0), Locked(false), Locked(false))
        let first = Task {
            try await segmenter.segment(
                image,
                Segmenter.Request(isCancelled: {
                    let count = Self.next(asked)
                    // From the first step on it has what the other one waits for.
                    while count > 1, !isReleased.withLock({ $0 }) { usleep(1000) }
                    return false
                })
            )
        }
        while asked.withLock({ $0 }) < 2 { try await Task.sleep(for: .milliseconds(1)) }
        let second = Task {
            try await segmenter.segment(
                image,
                Segmenter.Request(isCancelled: {
                    isBegun.withLock { $0 = true }
                    return false
                })
            )
        }
        while !isBegun.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
        // It is asked before it begins to wait.
        try await Task.sleep(for: .milliseconds(50))
        second.cancel()
        // For a test that fails, so that it ends.
        let release = Task {
            try await Task.sleep(for: .seconds(20))
            isReleased.withLock { $0 = true }
        }
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(!isReleased.withLock { $0 })
        release.cancel()
        isReleased.withLock { $0 = true }
        _ = try await first.value
    }

    @Test("a cancelled task ends the pipeline")
    func pipeline() async throws {
        let segmenter = try Segmenter(try model(), options: Segmenter.Options(threads: 2))
        let (begun, isCancelled) = (Locked(0), Locked(false))
        let pipeline = SegmentationPipeline(segmenter) { (number: Int, request) in
            begun.withLock { $0 += 1 }
            while number == 2, !isCancelled.withLock({ $0 }) { usleep(1000) }
        }
        let task = Task {
            for try await _ in pipeline.results(of: Array(0..<1000)) {}
        }
        while begun.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        isCancelled.withLock { $0 = true }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(begun.withLock { $0 } < 20)
    }
}

/// A value that closures of several tasks share.
private final class Locked<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { value.withLock { body(&$0) } }
}
