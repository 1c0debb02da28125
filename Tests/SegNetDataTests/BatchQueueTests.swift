import SegNetPlatform
import Testing

@testable import SegNetData

@Suite("Batches made ahead")
struct BatchQueueTests {
    /// Five pictures that are told apart by their first sample, 10...14.
    private static func dataset(_ scratch: ScratchFolder) throws -> (dataset: Dataset, samples: [Sample]) {
        try scratch.write("one\ntwo\n", "classes.txt")
        for index in 0..<5 {
            try scratch.picture("images/\(index).png", first: 10 + index)
            try scratch.labels("labels/\(index).png", Array(repeating: UInt16(index % 2), count: 12))
        }
        var options = DatasetOptions()
        options.validationShare = 0
        let dataset = try Dataset.load(.folder, directory: scratch.path, options: options)
        return (dataset, try dataset.samples(of: "train"))
    }

    private static func batches(_ queue: BatchQueue, _ count: Int) throws -> [Batch] {
        defer { queue.stop() }
        return try (0..<count).compactMap { _ in try queue.next() }
    }

    private static func names(_ batches: [Batch]) -> [Int] {
        batches.flatMap { $0.examples.map { Int($0.pixels[0]) - 10 } }
    }

    @Test("each epoch shows every picture once, in an order of its own, through the batches' borders")
    func epochs() throws {
        let scratch = try ScratchFolder()
        let (dataset, samples) = try Self.dataset(scratch)
        let found = try Self.batches(BatchQueue(DatasetPool(dataset, samples: samples), batchSize: 2, seed: 7), 10)
        let names = Self.names(found)
        let epochs = stride(from: 0, to: 20, by: 5).map { Array(names[$0..<$0 + 5]) }
        #expect(epochs.allSatisfy { $0.sorted() == [0, 1, 2, 3, 4] })
        #expect(Set(epochs).count > 1)
        // Batch 2 begins with the last picture of epoch 0, batch 3 lies in epoch 1.
        #expect(found.map(\.epoch) == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
        #expect(names.prefix(5) == SampleOrder(count: 5, seed: 7).permutation(epoch: 0)[...])
    }

    @Test("content is a function of seed and place alone", arguments: [1, 2, 3, 4], [1, 3])
    func resume(threads: Int, depth: Int) throws {
        let scratch = try ScratchFolder()
        let (dataset, samples) = try Self.dataset(scratch)
        var augmentation = Augmentation()
        (augmentation.flip, augmentation.noise) = (true, 5)
        (augmentation.paste, augmentation.pasteClasses) = (0.5, ["two"])
        func run(from place: Int, _ count: Int, threads: Int, cacheBytes: Int = 1 << 20) throws -> [Batch] {
            try Self.batches(
                BatchQueue(
                    DatasetPool(dataset, samples: samples),
                    augmentation: augmentation,
                    batchSize: 3,
                    seed: 11,
                    startPlace: place,
                    depth: depth,
                    threads: threads,
                    cacheBytes: cacheBytes
                ),
                count
            )
        }
        let whole = try run(from: 0, 8, threads: 1)
        #expect(try run(from: 0, 8, threads: threads) == whole)
        #expect(try run(from: 12, 4, threads: threads) == Array(whole[4...]))
        #expect(try run(from: 0, 8, threads: threads, cacheBytes: 0) == whole)
    }

    @Test("pastes the pixels of some classes from other pictures, with their labels")
    func paste() throws {
        let scratch = try ScratchFolder()
        try scratch.write("sky\npole\nsign\n", "classes.txt")
        // Picture i shows poles in its column i, signs in the last one, sky elsewhere.
        for index in 0..<3 {
            try scratch.picture("images/\(index).png", first: 10 + index)
            let labels = (0..<12).map { UInt16($0 % 4 == index ? 1 : $0 % 4 == 3 ? 2 : 0) }
            try scratch.labels("labels/\(index).png", labels)
        }
        var options = DatasetOptions()
        options.validationShare = 0
        let dataset = try Dataset.load(.folder, directory: scratch.path, options: options)
        let pool = DatasetPool(dataset, samples: try dataset.samples(of: "train"))
        let plain = try Self.batches(BatchQueue(pool, batchSize: 1, seed: 3), 60).flatMap(\.examples)
        var augmentation = Augmentation()
        (augmentation.paste, augmentation.pasteClasses) = (0.5, ["Pole"])
        let pasted = try Self.batches(BatchQueue(pool, augmentation: augmentation, batchSize: 1, seed: 3), 60)
            .flatMap(\.examples)
        var changed = 0
        for (before, after) in zip(plain, pasted) {
            #expect(before.width == 4 && before.height == 3)
            let others = plain.filter { $0 != before }
            let new = (0..<12).filter { before.labels[$0] != after.labels[$0] }
            for pixel in 0..<12 {
                let samples = 3 * pixel..<3 * (pixel + 1)
                guard new.contains(pixel) else {
                    #expect(before.pixels[samples] == after.pixels[samples])
                    continue
                }
                #expect(before.labels[pixel] == 0 && after.labels[pixel] == 1)
                #expect(others.contains { $0.labels[pixel] == 1 && $0.pixels[samples] == after.pixels[samples] })
            }
            if !new.isEmpty {
                #expect(new.count == 3)
                changed += 1
            }
        }
        // Half of the places paste, a third of them from the picture itself.
        #expect((10...30).contains(changed))

        for (names, words) in [
            ([], "name the classes that it pastes"), (["pol"], "there is no class 'pol'. Did you mean 'pole'?"),
        ] {
            augmentation.pasteClasses = names
            let queue = BatchQueue(pool, augmentation: augmentation, batchSize: 1, seed: 3)
            defer { queue.stop() }
            #expect(message { _ = try queue.next() }.contains(words))
        }
    }

    @Test("pastes all channels, and nothing from an example of another size")
    func planes() {
        func example(_ value: UInt8, width: Int = 2) -> Example {
            Example(
                pixels: Array(repeating: value, count: 4 * width),
                width: width,
                height: 1,
                channels: 4,
                planes: [Array(repeating: UInt16(value) * 257, count: width)],
                labels: (0..<width).map { UInt16($0) }
            )
        }
        var pasted = example(1)
        pasted.paste([1], from: example(9))
        #expect(pasted.pixels == [1, 1, 1, 1, 9, 9, 9, 9])
        #expect(pasted.planes == [[257, 2313]] && pasted.labels == [0, 1])
        pasted.paste([0, 1], from: example(5, width: 3))
        #expect(pasted.pixels == [1, 1, 1, 1, 9, 9, 9, 9])
    }

    @Test("without shuffling the list's order is kept; with a limit the batches end")
    func limit() throws {
        let scratch = try ScratchFolder()
        let (dataset, samples) = try Self.dataset(scratch)
        let queue = BatchQueue(
            DatasetPool(dataset, samples: samples),
            batchSize: 2,
            seed: 1,
            isShuffled: false,
            limit: 3
        )
        #expect(Self.names(try Self.batches(queue, 9)) == [0, 1, 2, 3, 4, 0])
    }

    @Test("an error comes in its place, after the good batches; nothing follows", arguments: [1, 2, 3])
    func errors(threads: Int) throws {
        let scratch = try ScratchFolder()
        let (dataset, samples) = try Self.dataset(scratch)
        try scratch.labels("labels/3.png", Array(repeating: 9, count: 12))
        let queue = BatchQueue(
            DatasetPool(dataset, samples: samples),
            batchSize: 1,
            seed: 1,
            isShuffled: false,
            threads: threads
        )
        defer { queue.stop() }
        for index in 0..<3 { #expect(try queue.next()?.examples[0].pixels[0] == UInt8(10 + index)) }
        #expect(message { _ = try queue.next() }.contains("labels/3.png: has the label 9"))
        #expect(try queue.next() == nil)
    }

    @Test("after stop there is nothing; stopping twice, or with a full queue, returns")
    func stop() throws {
        let scratch = try ScratchFolder()
        let (dataset, samples) = try Self.dataset(scratch)
        let queue = BatchQueue(DatasetPool(dataset, samples: samples), batchSize: 1, seed: 1, threads: 2)
        _ = try queue.next()
        queue.stop()
        queue.stop()
        #expect(try queue.next() == nil)
        let empty = BatchQueue(DatasetPool(dataset, samples: []), batchSize: 1, seed: 1)
        #expect(try empty.next() == nil)
        empty.stop()
    }
}
